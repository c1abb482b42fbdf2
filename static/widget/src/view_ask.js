// The view of the question form, which offers answers while the reader types.

import { shrinkPicture } from "../../shared/shrink_picture.js";
import { call, MAX_QUERY_CHARS, reasonOf } from "./api.js";
import { el, loadingLine, siteLink } from "./elements.js";
import { translate } from "./language.js";
import { entryList } from "./lists.js";

const MIN_QUERY_CHARS = 2;
const MAX_OFFERED = 3;
const OFFER_DELAY_MS = 500; // after the last key

export async function askView(panel) {
  const formData = await panel.load(() => call("ask/", {}), loadingLine());
  if (formData) new QuestionForm(panel, formData).show();
}

class QuestionForm {
  /** `stamp` must be sent with the form; `modules` are the choices of its select. */
  constructor(panel, { stamp, modules }) {
    this.panel = panel;
    this.fields = panel.draft;
    this.fields.text.value ||= panel.searched;
    this.offered = el("div", { "aria-live": "polite" });
    this.alert = el("p", { class: "bad", role: "alert", hidden: true });
    this.stamp = el("input", { type: "hidden", name: "stamp", value: stamp });
    this.button = el("button", { class: "button main" }, translate("send"));
    this.form = this.makeForm(modules);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    let timer = 0;
    panel.onTyping = (event) => {
      if (event.isComposing) return;
      clearTimeout(timer);
      timer = setTimeout(() => this.offer(), OFFER_DELAY_MS);
    };
  }

  makeForm(modules) {
    const { text, contact, pictures } = this.fields;
    const label = (id, name) => el("label", { for: id }, translate(name));
    const trap = el("input", {
      name: "website",
      tabindex: "-1",
      autocomplete: "off",
      "aria-label": "website",
    });
    return el(
      "form",
      { novalidate: true },
      this.alert,
      label("text", "question"),
      text,
      this.offered,
      modules.length ? [label("module", "module"), moduleField(modules)] : [],
      label("contact", "contact"),
      contact,
      label("pictures", "pictures"),
      pictures,
      el("p", { class: "trap", "aria-hidden": "true" }, trap),
      this.stamp,
      this.button,
    );
  }

  show() {
    this.panel.show(el("h3", null, translate("ask")), this.form);
    this.offer();
  }

  /** Show entries that may answer the question. */
  async offer() {
    const words = this.fields.text.value.trim();
    if (words.length < MIN_QUERY_CHARS) return;
    const query = { q: words.slice(0, MAX_QUERY_CHARS) };
    const answer = await call("search/", query).catch(() => null);
    if (!answer || words !== this.fields.text.value.trim()) return;
    const entries = (answer.entries.length ? answer.entries : answer.near).slice(0, MAX_OFFERED);
    const heading = el("h3", { class: "label" }, translate("solved"));
    this.offered.replaceChildren(
      ...(entries.length ? [heading, entryList(this.panel, entries)] : []),
    );
  }

  refuse(text) {
    this.alert.textContent = text;
    this.alert.hidden = false;
    this.alert.scrollIntoView({ block: "nearest" });
  }

  async submit() {
    const { panel, button, fields } = this;
    if (!fields.text.value.trim()) return this.refuse(translate("empty"));
    button.disabled = true;
    try {
      const { url } = await call("ask/", {}, { body: await this.requestBody() });
      for (const field of Object.values(fields)) field.value = "";
      panel.trail.splice(1);
      panel.go(receivedView(url));
    } catch (error) {
      this.stamp.value = error.answer?.stamp || this.stamp.value;
      this.refuse(reasonOf(error));
    }
    button.disabled = false;
    if (!panel.root.activeElement) button.focus(); // a disabled button loses the focus
  }

  async requestBody() {
    const body = new FormData(this.form);
    for (const file of this.fields.pictures.files)
      body.append("pictures", await shrinkPicture(file));
    body.append("page", location.pathname);
    body.append("words", this.panel.searched);
    return body;
  }
}

function moduleField(modules) {
  const options = modules.map(([id, name]) => el("option", { value: id }, name));
  const unsure = el("option", { value: "" }, translate("unsure"));
  return el("select", { id: "module", name: "module" }, unsure, options);
}

/** The view after submitting, with a link to the page of the answer. */
function receivedView(url) {
  return (panel) => {
    const link = siteLink(url, translate("mine"));
    link.rel = "noopener noreferrer";
    panel.show(el("p", { role: "status" }, translate("received")), el("p", null, link));
  };
}
