// Where a picture goes in an answer: on a line of its own, inside the step where the caret stands.

const STEP = /^(\s*(?:\d+[.)]|[-*+])\s+|\s+)/; // the marker of a list item, or its indentation

/** Return `markdown` with the breaks and spaces that it needs at `caret` in `text`. */
export function insertionAt(text, caret, markdown) {
  const lines = text.slice(0, caret).split("\n");
  const current = lines.at(-1);
  const isOnNewLine = current === "";
  const isIndented = !isOnNewLine && !current.trim(); // the writer has put the spaces there
  const indent = isIndented ? "" : " ".repeat(stepWidth(lines));
  const isLineEnd = caret === text.length || text[caret] === "\n";
  return `${isOnNewLine ? "" : "\n"}${indent}${markdown}${isLineEnd ? "" : "\n"}`;
}

/** How many characters stand before the text of the step that the last of `lines` belongs to. */
function stepWidth(lines) {
  const line = lines.at(-1).trim() ? lines.at(-1) : (lines.at(-2) ?? "");
  return STEP.exec(line)?.[1].length ?? 0;
}
