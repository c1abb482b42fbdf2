// What is sent for a blank: the rules of kb/text/blanks.py, on what the server drew.

// What Python's str.strip removes, which is not quite what trim removes.
const SPACE =
  "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const EDGES = new RegExp(`^${SPACE}+|${SPACE}+$`, "gu");
const DATE = /^([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$/;

export function strip(value) {
  return value.replace(EDGES, "");
}

/** The blank that `element` stands for. */
export function read({ dataset }) {
  const { blank: name, kind, initial } = dataset;
  const choices = dataset.choices.split("\n");
  return { name, kind, initial, choices, optional: dataset.optional === "yes" };
}

/** What `value` itself puts into the text; nothing where it does not fit the blank. */
export function given(blank, value) {
  const text = strip(value);
  if (blank.kind === "choice") return blank.choices.includes(text) ? text : "";
  return blank.kind === "date" ? spoken(text) : text;
}

/** What is sent for `value`, or the default; maybe nothing. */
export function worth(blank, value) {
  const initial = blank.kind === "date" ? spoken(blank.initial) : blank.initial;
  return given(blank, value) || initial;
}

/** What stands in the text: a blank that was missed is marked. */
export function written(blank, value) {
  return worth(blank, value) || (blank.optional ? "" : `〔${blank.name}〕`);
}

/** The pieces of the reply drawn in `element`: strings, and blanks. */
export function pieces(element) {
  return [...element.childNodes].map((node) =>
    node.dataset?.blank ? read(node) : node.textContent,
  );
}

/** One pass over `drawn`: a value is never looked at again. */
export function fill(drawn, value) {
  return drawn.map((piece) => (piece.name ? written(piece, value(piece.name)) : piece)).join("");
}

/** The names in `drawn` of what must be given and is not, each once. */
export function missed(drawn, value) {
  const lacking = (piece) => piece.name && !piece.optional && !worth(piece, value(piece.name));
  return [...new Set(drawn.filter(lacking).map((piece) => piece.name))];
}

/** The names in `drawn` whose text comes from a value that is carried, each once. */
export function carriedNames(drawn, customer) {
  const isCarried = (piece) =>
    piece.name && customer.isCarried(piece.name) && given(piece, customer.get(piece.name));
  return [...new Set(drawn.filter(isCarried).map((piece) => piece.name))];
}

function spoken(date) {
  const found = DATE.exec(date);
  return found ? `${found[1]}年${Number(found[2])}月${Number(found[3])}日` : "";
}
