// The only place where HTML text is parsed into elements.

/**
 * Return a DocumentFragment of `html`.
 *
 * `html` must be trusted: a literal of a script, or a response of this site, whose templates
 * escape what people typed. Never pass text that a person wrote.
 */
export function parseTrustedHtml(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}
