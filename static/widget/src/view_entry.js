// The view of an entry: its answer, and a vote on it.

import { call, reasonOf } from "./api.js";
import { build, el, errorLine, loadingLine, newTabHint, siteLink } from "./elements.js";
import { translate } from "./language.js";
import { askLine, entryList, noticeSection } from "./lists.js";

const MAX_NOTE_CHARS = 200;

/** Return the view of an entry that was chosen in a list. */
export function entryView(listed) {
  return async (panel) => {
    const address = `entry/${listed.id}/`;
    const heading = el("h3", null, listed.question);
    const entry = await panel.load(
      () => call(address, { q: panel.searched }),
      heading,
      loadingLine(),
    );
    if (entry) panel.show(...parts(panel, entry));
  };
}

function parts(panel, entry) {
  const open = siteLink(entry.url, translate("open"), newTabHint());
  const related = entry.related.length
    ? [el("h3", { class: "label" }, translate("related")), entryList(panel, entry.related)]
    : [];
  return [
    ...noticeSection(entry.notices),
    el("h3", null, entry.question),
    el("div", { class: "prose" }, entry.body.flatMap(build)),
    ...(panel.canAsk ? [votePart(panel, entry)] : []),
    el("p", { class: "soft" }, translate("updated"), entry.updated, " · ", open),
    ...related,
    askLine(panel),
  ];
}

function votePart(panel, entry) {
  const place = el(
    "div",
    { class: "row", role: "group", "aria-label": translate("helped") },
    el("span", null, translate("helped")),
  );

  async function vote(helpful, more = null) {
    const body = new FormData();
    const fields = { helpful, token: entry.token, q: panel.searched, ...more };
    for (const [key, value] of Object.entries(fields)) body.append(key, value);
    try {
      await call(`vote/${entry.id}/`, {}, { body });
    } catch (error) {
      place.append(errorLine(reasonOf(error)));
      return;
    }
    const asksWhy = helpful === "no" && !more;
    const thanks = el("p", { role: "status" }, translate("thanks"));
    place.replaceChildren(thanks, asksWhy ? reasonForm(entry, vote) : "");
  }

  for (const answer of ["yes", "no"]) {
    const button = { type: "button", class: "button", onclick: () => vote(answer) };
    place.append(el("button", button, translate(answer)));
  }
  return place;
}

function reasonForm(entry, vote) {
  const choices = entry.reasons.map(([value, name]) =>
    el("label", { class: "choice" }, el("input", { type: "radio", name: "reason", value }), name),
  );
  const note = el("textarea", { name: "note", maxlength: MAX_NOTE_CHARS, id: "note" });
  const legend = el("legend", null, translate("why"));
  const form = el(
    "form",
    null,
    el("fieldset", null, legend, el("div", { class: "row" }, choices)),
    el("label", { for: "note" }, translate("more")),
    note,
    el("button", { class: "button main" }, translate("send")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = new FormData(form);
    vote("no", { reason: typed.get("reason") ?? "", note: typed.get("note") });
  });
  return form;
}
