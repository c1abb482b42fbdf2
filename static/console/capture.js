// Alt+N: a dialog to record a question. The search stays as it is, and a draft is stored.

import { isComposing } from "../shared/composing.js";
import { parseTrustedHtml } from "../shared/html.js";
import { fetchSignedIn, isLogin } from "../shared/sign_in.js";
import { getKeyAction } from "./keys.js";

const DRAFT_FIELDS = ["text", "answer", "channel", "segment", "module"];

class Capture {
  constructor(link, dialog, box) {
    Object.assign(this, { link, dialog, box });
    this.body = dialog.querySelector("#capture-body");
    this.store = `kb-console-capture-${link.dataset.owner}`;
    this.composing = false;
    this.busy = false;
    this.discarded = null; // the draft that was discarded last
  }

  get form() {
    return this.body.querySelector("form");
  }

  get words() {
    return this.box.value.trim();
  }

  // Open and close -------------------------------------------------------------

  async open() {
    if (this.dialog.open || this.busy) return;
    this.busy = true;
    try {
      const query = new URLSearchParams({ fragment: "form", q: this.words });
      this.draw(await this.fetchForm(`${this.link.pathname}?${query}`));
      this.restoreDraft();
      this.dialog.showModal();
      this.first().focus();
    } catch {
      location.assign(`${this.link.pathname}?${new URLSearchParams({ q: this.words })}`);
    } finally {
      this.busy = false;
    }
  }

  draw(html) {
    this.body.replaceChildren(parseTrustedHtml(html));
  }

  /** The first invalid or empty field. */
  first() {
    const { text, answer } = this.form.elements;
    const bad = this.form.querySelector(".field.bad :is(input, textarea, select)");
    return bad ?? (text.value ? answer : text);
  }

  close() {
    this.dialog.close(); // the browser restores the focus
  }

  // Draft -----------------------------------------------------------------------

  saveDraft() {
    if (this.discarded) this.form.querySelector("[data-draft-note]").hidden = true;
    this.discarded = null;
    const pairs = DRAFT_FIELDS.map((name) => [name, this.form.elements[name]?.value]);
    store(this.store, JSON.stringify(Object.fromEntries(pairs)));
  }

  restoreDraft() {
    const draft = read(this.store);
    if (!draft) return;
    for (const name of DRAFT_FIELDS) {
      const field = this.form.elements[name];
      if (field && typeof draft[name] === "string") field.value = draft[name];
    }
    this.form.querySelector("[data-draft-note]").hidden = false;
  }

  /** Empty the form; the draft can be restored. */
  discard() {
    this.discarded = read(this.store);
    sessionStorage.removeItem(this.store);
    this.form.elements.text.value = this.words;
    this.form.elements.answer.value = "";
    this.showDraftNote("已清空。", "撤销");
    this.form.elements.text.focus();
  }

  undoDiscard() {
    store(this.store, JSON.stringify(this.discarded));
    this.discarded = null;
    this.restoreDraft();
    this.showDraftNote("上次没记完的内容还在。", "清空重写");
    this.form.elements.text.focus();
  }

  showDraftNote(text, button) {
    const line = this.form.querySelector("[data-draft-note]");
    line.hidden = false;
    line.firstChild.textContent = text;
    line.querySelector("[data-discard-draft]").textContent = button;
  }

  // Save -----------------------------------------------------------------------

  /** Resolve to the text of the response. Throws NetworkError, or Error for other statuses. */
  async fetchForm(address, options = () => ({})) {
    const response = await fetchSignedIn(address, options);
    this.status = response?.status ?? 401;
    if (!response || ![200, 201, 400].includes(this.status) || isLogin(response))
      throw new Error(String(this.status));
    return response.text();
  }

  async save() {
    if (this.busy) return;
    this.busy = true;
    const statusLine = this.form.querySelector("[data-status]");
    statusLine.textContent = "正在保存……";
    try {
      const answer = await this.fetchForm(`${this.link.pathname}?fragment=form`, () => ({
        method: "POST",
        body: new URLSearchParams(new FormData(this.form)),
      }));
      if (this.status === 201) this.saved(answer);
      else this.refused(answer);
    } catch {
      statusLine.textContent =
        this.status === 401
          ? "还没有登录，没有保存。内容还在。"
          : "没能保存，内容还在，请再试一次。";
    } finally {
      this.busy = false;
    }
  }

  saved(message) {
    sessionStorage.removeItem(this.store);
    this.close();
    const line = document.getElementById("status-message");
    line.className = "ok";
    line.textContent = message;
  }

  refused(html) {
    this.draw(html);
    this.first().focus();
  }

  // Keys ------------------------------------------------------------------------

  key(event) {
    event.stopPropagation(); // the console must not handle keys of the dialog
    if (isComposing(event)) return;
    // The browser would open a menu, change the tab or go back, and lose the text.
    if (event.altKey && getKeyAction(event)[0]) event.preventDefault();
    if (event.repeat) return;
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.save();
  }

  listen() {
    document.addEventListener("keydown", (event) => {
      const isAltN = event.altKey && !event.ctrlKey && !event.metaKey && event.code === "KeyN";
      if (!isAltN || isComposing(event) || event.repeat) return;
      event.preventDefault();
      this.open();
    });
    this.link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.open();
    });
    const { dialog } = this;
    dialog.addEventListener("keydown", (event) => this.key(event));
    dialog.addEventListener("compositionstart", () => (this.composing = true));
    dialog.addEventListener("compositionend", () => (this.composing = false));
    dialog.addEventListener("cancel", (event) => this.composing && event.preventDefault());
    dialog.addEventListener("input", (event) => {
      event.stopPropagation();
      this.saveDraft();
    });
    dialog.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    dialog.addEventListener("click", (event) => {
      event.stopPropagation();
      if (event.target.closest("[data-discard-draft]"))
        this.discarded ? this.undoDiscard() : this.discard();
      if (event.target !== dialog && !event.target.closest("[data-close]")) return;
      event.preventDefault(); // the backdrop belongs to the dialog itself
      this.close();
    });
  }
}

function store(key, value) {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // Storage is full or forbidden: the draft lasts as long as the form.
  }
}

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

const link = document.getElementById("capture-open");
if (link)
  new Capture(link, document.getElementById("capture"), document.getElementById("q")).listen();
