// Alt+Z presses the undo button: <button data-undo>.

import { isComposing } from "./composing.js";

const button = document.querySelector("[data-undo]");

document.addEventListener("keydown", (event) => {
  if (isComposing(event) || event.repeat) return;
  if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== "KeyZ" || !button) return;
  event.preventDefault();
  button.click();
});
// Focused, so that screen readers read it and Enter presses it.
if (document.activeElement === document.body) button?.focus({ preventScroll: true });
