/* A line of code is copied whole, and says so. */

for (const button of document.querySelectorAll("[data-snippet]")) {
  const label = button.textContent;
  const status = button.nextElementSibling;
  const say = (words) => {
    button.textContent = status.textContent = words;
    setTimeout(() => {
      button.textContent = label;
      status.textContent = "";
    }, 2000);
  };
  button.hidden = !navigator.clipboard; // plain http has none: mark it by hand
  button.addEventListener("click", () => {
    const text = document.getElementById(button.dataset.snippet).textContent;
    navigator.clipboard.writeText(text).then(
      () => say("已复制"),
      () => say("复制不了，请手动选择"),
    );
  });
}
