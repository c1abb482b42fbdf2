// Inserting a picture into an answer: on a line of its own, inside the list item at the caret.

const STEP = /^(\s*(?:\d+[.)]|[-*+])\s+|\s+)/; // the marker of a list item, or its indentation

/** Return `markdown` with the breaks and spaces that it needs at `caret` in `text`. */
export function insertionAt(text, caret, markdown) {
  const lines = text.slice(0, caret).split("\n");
  const current = lines.at(-1);
  const isOnNewLine = current === "";
  const isIndented = !isOnNewLine && !current.trim(); // the writer typed the spaces
  const indent = isIndented ? "" : " ".repeat(stepWidth(lines));
  const isLineEnd = caret === text.length || text[caret] === "\n";
  return `${isOnNewLine ? "" : "\n"}${indent}${markdown}${isLineEnd ? "" : "\n"}`;
}

/** Return the number of characters before the text of the list item of the last line. */
function stepWidth(lines) {
  const line = lines.at(-1).trim() ? lines.at(-1) : (lines.at(-2) ?? "");
  return STEP.exec(line)?.[1].length ?? 0;
}
