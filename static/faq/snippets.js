/* Copies a line of code and confirms it. */

for (const button of document.querySelectorAll("[data-snippet]")) {
  const label = button.textContent;
  const status = button.nextElementSibling;
  const showStatus = (message) => {
    button.textContent = status.textContent = message;
    setTimeout(() => {
      button.textContent = label;
      status.textContent = "";
    }, 2000);
  };
  button.hidden = !navigator.clipboard; // there is no clipboard without https: people select the text
  button.addEventListener("click", () => {
    const text = document.getElementById(button.dataset.snippet).textContent;
    navigator.clipboard.writeText(text).then(
      () => showStatus("已复制"),
      () => showStatus("复制不了，请手动选择"),
    );
  });
}
