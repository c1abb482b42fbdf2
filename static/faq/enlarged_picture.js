/* Shows a picture in a dialog; without this script the link opens the picture itself. */

const dialog = document.querySelector("#large");

function open(link, small) {
  const large = document.createElement("img");
  large.src = link.href;
  large.alt = small.alt;
  large.setAttribute("width", small.getAttribute("width"));
  large.setAttribute("height", small.getAttribute("height"));
  dialog.querySelector("img")?.remove();
  dialog.append(large);
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.picture");
  const small = link?.querySelector("img");
  const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey);
  if (!small || !plain || !dialog?.showModal) return;
  event.preventDefault();
  open(link, small);
});

dialog?.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.tagName === "IMG") dialog.close();
});
