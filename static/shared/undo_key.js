// Alt+Z presses the button that takes the last step back: <button data-undo>.

const button = document.querySelector("[data-undo]");

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229 || event.repeat) return;
  if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== "KeyZ" || !button) return;
  event.preventDefault();
  button.click();
});
// Focused, so that it is read out and one key away.
if (document.activeElement === document.body) button?.focus({ preventScroll: true });
