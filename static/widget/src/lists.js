// Parts of several views: lists of entries, notices, the link for asking.

import { build, el, newTabHint, siteLink } from "./elements.js";
import { translate } from "./language.js";

export function entryList(panel, entries) {
  const row = (entry) =>
    el(
      "button",
      { type: "button", onclick: () => panel.openEntry(entry) },
      entry.question,
      el("small", null, entry.excerpt),
    );
  const rows = entries.map((entry) => el("li", null, row(entry)));
  return el("ul", { class: "list" }, rows);
}

/** Return [section] with the notices, or [] where there are none. */
export function noticeSection(notices) {
  if (!notices.length) return [];
  return [el("section", { class: "list", "aria-label": translate("notices") }, notices.map(row))];

  function row({ title, body, entry }) {
    const link = entry && el("p", null, siteLink(entry.url, entry.question, newTabHint()));
    return el("div", { class: "notice" }, el("strong", null, title), body.flatMap(build), link);
  }
}

/** 还是没解决: opens the form here, or on the site where this page may only read. */
export function askLine(panel) {
  if (panel.canAsk) {
    const button = { type: "button", class: "link", onclick: () => panel.openQuestionForm() };
    return el("p", null, el("button", button, translate("still")));
  }
  const query = panel.searched ? `?q=${encodeURIComponent(panel.searched)}` : "";
  return el("p", null, siteLink(`/ask/${query}`, translate("still"), newTabHint()));
}
