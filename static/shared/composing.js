// Keys that belong to an input method must not trigger shortcuts.

/** Whether the keydown `event` belongs to an input method. Safari says so by keyCode 229 alone. */
export function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}
