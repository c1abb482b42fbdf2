/* A link to hand on: the short one, which chat tools do not cut at Chinese letters. */

const button = document.querySelector("[data-copy]");
const status = document.querySelector("[data-copied]");
const label = button.textContent;

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // plain http has no clipboard
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("refused");
}

function say(words) {
  button.textContent = status.textContent = words;
  setTimeout(() => {
    button.textContent = label;
    status.textContent = "";
  }, 2000);
}

button.hidden = false;
button.addEventListener("click", async () => {
  const link = new URL(button.dataset.copy, location.href).href;
  await copy(link).then(
    () => say(button.dataset.copiedText),
    () => say(button.dataset.refusedText),
  );
});
