/* Copies the short link, which chat tools do not cut at Chinese characters. */

const button = document.querySelector("[data-copy]");
const status = document.querySelector("[data-copied]");
const label = button.textContent;

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // there is no clipboard without https
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("refused");
}

function showStatus(text) {
  button.textContent = status.textContent = text;
  setTimeout(() => {
    button.textContent = label;
    status.textContent = "";
  }, 2000);
}

button.hidden = false;
button.addEventListener("click", async () => {
  const link = new URL(button.dataset.copy, location.href).href;
  await copy(link).then(
    () => showStatus(button.dataset.copiedText),
    () => showStatus(button.dataset.refusedText),
  );
});
