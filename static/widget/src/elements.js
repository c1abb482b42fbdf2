// Builds elements from data of the site. Text never becomes markup; unknown tags are dropped.

import { translate } from "./language.js";
import { siteOrigin } from "./site.js";

const TAGS = new Set(
  (
    "p br hr h2 h3 h4 ul ol li blockquote pre code em strong s a img div" +
    " table thead tbody tr th td"
  ).split(" "),
);
const ATTRIBUTES = new Set(
  "title alt width height start align class role aria-label tabindex".split(" "),
);
const SCHEMES = /^(https?|mailto|tel):$/;
const NEW_TAB = { target: "_blank", rel: "noopener noreferrer" };

/** Return an element with `attributes` (on… are listeners) and children, elements or texts. */
export function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) setAttribute(element, key, value);
  element.append(...children.flat().filter((child) => child != null && child !== ""));
  return element;
}

function setAttribute(element, key, value) {
  if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
  else if (value === true) element.setAttribute(key, "");
  else if (value !== false && value != null) element.setAttribute(key, value);
}

/** Return the elements of a node of an answer: a text, or [tag, attributes, nodes]. */
export function build(node) {
  if (typeof node === "string") return node;
  const [name, allAttributes, nodes] = node;
  if (!TAGS.has(name)) return nodes.map(build);
  const attributes = Object.fromEntries(
    Object.entries(allAttributes).filter(([key]) => ATTRIBUTES.has(key)),
  );
  if (name === "img") return image(allAttributes, attributes);
  const href = name === "a" ? safeAddress(allAttributes.href) : null;
  return el(name, href ? { ...attributes, href, ...NEW_TAB } : attributes, nodes.map(build));
}

/** Return a link to a page of the help site, which opens in a new tab. */
export function siteLink(path, ...children) {
  return el("a", { href: siteOrigin + path, target: "_blank", rel: "noopener" }, ...children);
}

/** Return the hint for screen readers that a link opens a new window. */
export function newTabHint() {
  return el("span", { class: "quiet" }, translate("newWindow"));
}

export function loadingLine() {
  return el("p", { class: "soft", role: "status" }, translate("loading"));
}

export function errorLine(text) {
  return el("p", { class: "bad", role: "alert" }, text);
}

function safeAddress(text) {
  try {
    const address = new URL(text, siteOrigin);
    return SCHEMES.test(address.protocol) ? address.href : null;
  } catch {
    return null;
  }
}

function image({ src: source, alt = "" }, attributes) {
  const src = safeAddress(source);
  if (!src) return alt;
  const picture = el("img", { ...attributes, src, loading: "lazy" });
  // The CSP of the host's page may forbid the picture: then it becomes a link.
  picture.addEventListener("error", () => {
    const name = translate("picture") + alt;
    picture.replaceWith(picture.closest("a") ? name : el("a", { href: src, ...NEW_TAB }, name));
  });
  return picture;
}
