// Fills blanks: the rules of kb/text/placeholders/blanks.py, on the server's elements.

// The characters that Python's str.strip removes; trim removes slightly different ones.
const SPACE =
  "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const EDGES = new RegExp(`^${SPACE}+|${SPACE}+$`, "gu");
const DATE = /^([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$/;

export function strip(value) {
  return value.replace(EDGES, "");
}

/** The blank that `element` represents. */
export function read({ dataset }) {
  const { blank: name, kind, initial } = dataset;
  const choices = dataset.choices.split("\n");
  return { name, kind, initial, choices, optional: dataset.optional === "yes" };
}

/** `value` as text, or "" where it is not valid for the blank. */
export function formatValue(blank, value) {
  const text = strip(value);
  if (blank.kind === "choice") return blank.choices.includes(text) ? text : "";
  return blank.kind === "date" ? formatDate(text) : text;
}

/** The text to send for `value`: itself, else the default, else "". */
export function resolveValue(blank, value) {
  const initial = blank.kind === "date" ? formatDate(blank.initial) : blank.initial;
  return formatValue(blank, value) || initial;
}

/** The text to show: the value, or 〔name〕 for a required blank without one. */
export function renderValue(blank, value) {
  return resolveValue(blank, value) || (blank.optional ? "" : `〔${blank.name}〕`);
}

/** The pieces of the reply in `element`: strings and blanks. */
export function pieces(element) {
  return [...element.childNodes].map((node) =>
    node.dataset?.blank ? read(node) : node.textContent,
  );
}

/** The text of `drawn` with its values; a value that looks like a blank stays as it is. */
export function fill(drawn, value) {
  return drawn
    .map((piece) => (piece.name ? renderValue(piece, value(piece.name)) : piece))
    .join("");
}

/** The names of required blanks in `drawn` without a value, each once. */
export function missed(drawn, value) {
  const isMissing = (piece) =>
    piece.name && !piece.optional && !resolveValue(piece, value(piece.name));
  return [...new Set(drawn.filter(isMissing).map((piece) => piece.name))];
}

/** The names of blanks in `drawn` whose value is carried over, each once. */
export function carriedNames(drawn, customer) {
  const isCarried = (piece) =>
    piece.name && customer.isCarried(piece.name) && formatValue(piece, customer.get(piece.name));
  return [...new Set(drawn.filter(isCarried).map((piece) => piece.name))];
}

function formatDate(date) {
  const parts = DATE.exec(date);
  return parts ? `${parts[1]}年${Number(parts[2])}月${Number(parts[3])}日` : "";
}
