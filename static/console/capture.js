// Alt+N: a small form above the search, which stays as it is; a draft survives.

import { isComposing } from "../shared/composing.js";
import { parseTrustedHtml } from "../shared/html.js";
import { fetchSignedIn, isLogin } from "../shared/sign_in.js";
import { meaning } from "./keys.js";

const KEPT = ["text", "answer", "channel", "segment", "module"];

class Capture {
  constructor(link, dialog, box) {
    Object.assign(this, { link, dialog, box });
    this.body = dialog.querySelector("#capture-body");
    this.store = `kb-console-capture-${link.dataset.owner}`;
    this.composing = false;
    this.busy = false;
    this.forgotten = null; // what was emptied last
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
      this.restore();
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

  /** The first field that waits for words: what was searched is there already. */
  first() {
    const { text, answer } = this.form.elements;
    const bad = this.form.querySelector(".field.bad :is(input, textarea, select)");
    return bad ?? (text.value ? answer : text);
  }

  close() {
    this.dialog.close(); // the browser gives the focus back to where it was
  }

  // What is written survives -----------------------------------------------------

  keep() {
    if (this.forgotten) this.form.querySelector("[data-draft]").hidden = true;
    this.forgotten = null;
    const pairs = KEPT.map((name) => [name, this.form.elements[name]?.value]);
    store(this.store, JSON.stringify(Object.fromEntries(pairs)));
  }

  restore() {
    const kept = read(this.store);
    if (!kept) return;
    for (const name of KEPT) {
      const field = this.form.elements[name];
      if (field && typeof kept[name] === "string") field.value = kept[name];
    }
    this.form.querySelector("[data-draft]").hidden = false;
  }

  /** Empty the form; what stood in it can be brought back. */
  forget() {
    this.forgotten = read(this.store);
    sessionStorage.removeItem(this.store);
    this.form.elements.text.value = this.words;
    this.form.elements.answer.value = "";
    this.drawLine("已清空。", "撤销");
    this.form.elements.text.focus();
  }

  takeBack() {
    store(this.store, JSON.stringify(this.forgotten));
    this.forgotten = null;
    this.restore();
    this.drawLine("上次没记完的内容还在。", "清空重写");
    this.form.elements.text.focus();
  }

  drawLine(text, button) {
    const line = this.form.querySelector("[data-draft]");
    line.hidden = false;
    line.firstChild.textContent = text;
    line.querySelector("[data-forget]").textContent = button;
  }

  // Save -----------------------------------------------------------------------

  /** Resolve to the answer's text. Throws NetworkError, and Error where it cannot be used. */
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
    const told = this.form.querySelector("[data-told]");
    told.textContent = "正在保存……";
    try {
      const answer = await this.fetchForm(`${this.link.pathname}?fragment=form`, () => ({
        method: "POST",
        body: new URLSearchParams(new FormData(this.form)),
      }));
      if (this.status === 201) this.saved(answer);
      else this.refused(answer);
    } catch {
      told.textContent =
        this.status === 401
          ? "还没有登录，没有保存。内容还在。"
          : "没能保存，内容还在，请再试一次。";
    } finally {
      this.busy = false;
    }
  }

  saved(said) {
    sessionStorage.removeItem(this.store);
    this.close();
    const line = document.getElementById("said");
    line.className = "ok";
    line.textContent = said;
  }

  refused(html) {
    this.draw(html);
    this.first().focus();
  }

  // Keys: while an input method composes, every one of them is its own ----------------

  key(event) {
    event.stopPropagation(); // what is typed here is none of the console's keys
    if (isComposing(event)) return;
    // Nor the browser's: it would open a menu, change the tab or go back, and lose the text.
    if (event.altKey && meaning(event)[0]) event.preventDefault();
    if (event.repeat) return;
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.save();
  }

  listen() {
    document.addEventListener("keydown", (event) => {
      const ours = event.altKey && !event.ctrlKey && !event.metaKey && event.code === "KeyN";
      if (!ours || isComposing(event) || event.repeat) return;
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
      this.keep();
    });
    dialog.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    dialog.addEventListener("click", (event) => {
      event.stopPropagation();
      if (event.target.closest("[data-forget]")) this.forgotten ? this.takeBack() : this.forget();
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
