// The one place where text becomes elements.

/**
 * Return a DocumentFragment of `html`.
 *
 * `html` must be written by us: a literal of a script, or the answer of one of our own templates,
 * which escape what people typed. Never pass a text of a person.
 */
export function parseTrustedHtml(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}
