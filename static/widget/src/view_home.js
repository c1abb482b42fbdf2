// The first view: a search box, and entries that fit the page.

import { isComposing } from "../../shared/composing.js";
import { LatestRequest } from "../../shared/http.js";
import { call, MAX_QUERY_CHARS, reasonOf } from "./api.js";
import { el, errorLine, loadingLine } from "./elements.js";
import { translate } from "./language.js";
import { askLine, entryList, noticeSection } from "./lists.js";
import { attributes } from "./site.js";
import { applyTheme, setSiteColours } from "./theme.js";

const SEARCH_DELAY_MS = 250; // after the last key
const latest = new WeakMap(); // the current search of each panel

export async function homeView(panel) {
  if (!panel.site && !(await start(panel))) return;
  const results = el("div", { class: "results" });
  panel.show(searchForm(panel, results), results, askLine(panel));
  if (panel.searched) search(panel, panel.searched, results);
  else showCommon(panel, results);
  if (panel.root.activeElement === panel.title) panel.focus(); // the focus waited there while loading
}

/** Load what to show first; resolve to false where the view changed or an error is shown. */
async function start(panel) {
  const { category, tag, q } = attributes;
  const query = { path: location.pathname, category, tag, q };
  const site = await panel.load(() => call("start/", query), loadingLine());
  if (!site) return false;
  panel.site = site;
  panel.canAsk = site.asks;
  panel.label();
  setSiteColours(site.colours);
  applyTheme(panel.root);
  return true;
}

function searchForm(panel, results) {
  const box = el("input", {
    type: "search",
    id: "q",
    maxlength: MAX_QUERY_CHARS,
    placeholder: translate("hint"),
    autocomplete: "off",
    enterkeyhint: "search",
    value: panel.searched,
  });
  const label = el("label", { class: "quiet", for: "q" }, translate("search"));
  const form = el("form", { class: "search", role: "search" }, label, box);
  let timer = 0;
  const searchSoon = (event) => {
    if (event.isComposing) return;
    clearTimeout(timer);
    timer = setTimeout(() => search(panel, box.value, results), SEARCH_DELAY_MS);
  };
  box.addEventListener("input", searchSoon);
  box.addEventListener("compositionend", searchSoon);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && isComposing(event)) event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    search(panel, box.value, results, { isDone: true });
  });
  return form;
}

function showCommon(panel, results) {
  const { site } = panel;
  const title = el("h3", { class: "label" }, site.title || translate("common"));
  results.replaceChildren(...noticeSection(site.notices), title, entryList(panel, site.entries));
}

/** Show entries for `text`; the site records the search only if `isDone`, not while typing. */
async function search(panel, text, results, { isDone = false } = {}) {
  if (!latest.has(panel)) latest.set(panel, new LatestRequest());
  const signal = latest.get(panel).next();
  panel.searched = text.trim().slice(0, MAX_QUERY_CHARS);
  if (!panel.searched) return showCommon(panel, results);
  const query = { q: panel.searched, done: isDone ? "1" : "" };
  try {
    const answer = await call("search/", query, { signal });
    if (!signal.aborted) showResults(panel, answer, results);
  } catch (error) {
    if (!signal.aborted) results.replaceChildren(errorLine(reasonOf(error)));
  }
}

function showResults(panel, answer, results) {
  const entries = answer.entries.length ? answer.entries : answer.near;
  const summary = summaryOf(answer);
  results.replaceChildren(
    ...noticeSection(answer.notices),
    el("p", { class: "soft" }, summary),
    entryList(panel, entries),
  );
  panel.status.textContent = summary;
}

function summaryOf({ entries, near }) {
  if (entries.length) return `${entries.length} ${translate("results")}`;
  return translate(near.length ? "near" : "none");
}
