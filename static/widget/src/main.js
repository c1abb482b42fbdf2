// The help widget, added to any page by one script element. It sets no cookie and no inline style
// and never parses text as markup, so that it works with a strict CSP of the host's page, which
// has to allow the site's origin in script-src and connect-src (img-src for pictures).

import { el } from "./elements.js";
import { chooseLanguage, currentLanguage, translate, updateLanguage } from "./language.js";
import { Panel } from "./panel.js";
import { attributes, script } from "./site.js";
import { applyTheme } from "./theme.js";
import { askView } from "./view_ask.js";
import { entryView } from "./view_entry.js";
import { homeView } from "./view_home.js";

const VIEWS = { home: homeView, entry: entryView, ask: askView };

function start() {
  const host = el("div", { lang: currentLanguage(), "data-help-widget": true });
  const root = host.attachShadow({ mode: "open" });
  applyTheme(root);
  if (attributes.mode === "list") startInline(host, root);
  else startDialog(host, root);
}

/** Show a list at its place in the page. */
function startInline(host, root) {
  const frame = el("div", { class: "root inline" });
  root.append(frame);
  const target = attributes.target && document.querySelector(attributes.target);
  if (target) target.append(host);
  else script.after(host);
  const panel = makePanel(root, { place: frame, close: null });
  panel.begin();
}

/** Show a button in a corner, which opens a dialog. */
function startDialog(host, root) {
  const frame = el("div", { class: attributes.position === "left" ? "root left" : "root" });
  const dialog = el("dialog");
  const button = el("button", {
    type: "button",
    class: "button main launch",
    "aria-haspopup": "dialog",
  });
  const label = () => {
    dialog.setAttribute("aria-label", attributes.title || translate("help"));
    button.textContent = attributes.label || translate("help");
  };
  const panel = makePanel(root, { place: dialog, close: () => dialog.close(), label });
  label();
  button.addEventListener("click", () => {
    dialog.showModal();
    if (!panel.view) panel.begin();
    panel.focus();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => event.stopPropagation()); // the host must not handle these keys
  frame.append(button, dialog);
  root.append(frame);
  document.body.append(host);
}

/** Return a panel that follows changes of the page's language and theme. */
function makePanel(root, { place, close, label = () => {} }) {
  const update = () => {
    applyTheme(root);
    if (!updateLanguage()) return;
    root.host.lang = currentLanguage();
    label();
    panel.repaint();
  };
  const choose = (tag) => {
    chooseLanguage(tag);
    update();
  };
  const panel = new Panel({ root, place, close, chooseLanguage: choose, views: VIEWS });
  const watcher = new MutationObserver(update);
  watcher.observe(script, { attributeFilter: ["data-lang", "data-theme"] });
  watcher.observe(document.documentElement, { attributeFilter: ["lang"] });
  return panel;
}

if (script) {
  if (document.body && document.readyState !== "loading") start();
  else document.addEventListener("DOMContentLoaded", start);
}
