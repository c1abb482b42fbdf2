// Elements for what our site sends: text is only ever text, and only known tags are made.

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

/** An element with `attributes` (on… are listeners), and children: elements and texts. */
export function el(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) setAttribute(made, key, value);
  made.append(...children.flat().filter((child) => child != null && child !== ""));
  return made;
}

function setAttribute(element, key, value) {
  if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
  else if (value === true) element.setAttribute(key, "");
  else if (value !== false && value != null) element.setAttribute(key, value);
}

/** Children for a node of an answer: a text, or [tag, attributes, nodes]. */
export function build(node) {
  if (typeof node === "string") return node;
  const [name, given, nodes] = node;
  if (!TAGS.has(name)) return nodes.map(build);
  const kept = Object.fromEntries(Object.entries(given).filter(([key]) => ATTRIBUTES.has(key)));
  if (name === "img") return image(given, kept);
  const href = name === "a" ? safeAddress(given.href) : null;
  return el(name, href ? { ...kept, href, ...NEW_TAB } : kept, nodes.map(build));
}

/** A link to a page of our site, which opens beside the host's page. */
export function siteLink(path, ...children) {
  return el("a", { href: siteOrigin + path, target: "_blank", rel: "noopener" }, ...children);
}

/** What tells readers of a screen that a link opens a new window. */
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

function image(given, kept) {
  const src = safeAddress(given.src);
  if (!src) return given.alt ?? "";
  const shown = el("img", { ...kept, src, loading: "lazy" });
  // The host's policy may forbid our pictures: then they are a link away.
  shown.addEventListener("error", () => {
    const name = translate("picture") + (given.alt ?? "");
    shown.replaceWith(shown.closest("a") ? name : el("a", { href: src, ...NEW_TAB }, name));
  });
  return shown;
}
