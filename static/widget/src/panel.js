// The panel: title, back button, the body with the current view, and language buttons.

import { reasonOf } from "./api.js";
import { el, errorLine } from "./elements.js";
import { currentLanguage, LANGUAGES, translate } from "./language.js";
import { attributes } from "./site.js";

const MAX_TEXT_CHARS = 2000;

export class Panel {
  /**
   * `close` closes the dialog; null where the panel is part of the page. `views` holds the view of
   * home, of a question to ask, and a function that makes the view of an entry.
   */
  constructor({ root, place, close, chooseLanguage, views }) {
    Object.assign(this, { root, views, isInline: close === null });
    this.trail = []; // views to go back to, the one in sight last
    this.site = null; // what our site says at first: its name, notices and entries
    this.canAsk = false; // whether this page may send questions and votes
    this.searched = ""; // the words searched for
    this.onTyping = () => {}; // of the view in sight, when the reader's question changes
    this.title = el("h2", { tabindex: "-1" });
    const button = { type: "button", class: "button" };
    this.backButton = el("button", { ...button, hidden: true, onclick: () => this.leave() }, "←");
    this.closeButton = close && el("button", { ...button, onclick: close }, "✕");
    this.status = el("p", { class: "quiet", role: "status" });
    this.body = el("div", { class: "body" });
    this.languages = el(
      "div",
      { class: "languages", role: "group" },
      LANGUAGES.map(([lang, name]) =>
        el("button", { type: "button", lang, onclick: () => chooseLanguage(lang) }, name),
      ),
    );
    const head = el("div", { class: "head" }, this.backButton, this.title, this.closeButton);
    place.append(el("div", { class: "panel" }, head, this.body, this.languages, this.status));
    this.draft = this.makeDraft();
    this.label();
  }

  /** The fields of a question, which keep their text while other views are shown. */
  makeDraft() {
    const text = el("textarea", {
      id: "text",
      name: "text",
      maxlength: MAX_TEXT_CHARS,
      required: true,
    });
    for (const kind of ["input", "compositionend"]) {
      text.addEventListener(kind, (event) => this.onTyping(event));
    }
    const contact = el("input", {
      type: "text",
      id: "contact",
      name: "contact",
      maxlength: "100",
      autocomplete: "email",
    });
    const pictures = el("input", {
      type: "file",
      id: "pictures",
      multiple: true,
      accept: "image/png,image/jpeg,image/webp,image/gif",
    });
    return { text, contact, pictures };
  }

  begin() {
    this.go(this.views.home, { canFocus: false });
  }

  label() {
    this.title.textContent = attributes.title || this.site?.name || translate("help");
    this.backButton.setAttribute("aria-label", translate("back"));
    this.closeButton?.setAttribute("aria-label", translate("close"));
    this.languages.setAttribute("aria-label", translate("language"));
    for (const button of this.languages.children) {
      button.setAttribute("aria-pressed", button.lang === currentLanguage());
    }
  }

  // Views: functions that render into the panel, and may fetch data first ----------------

  get view() {
    return this.trail.at(-1);
  }

  go(view, { canFocus = true } = {}) {
    this.trail.push(view);
    view(this);
    if (canFocus) this.title.focus({ preventScroll: !this.isInline });
  }

  openEntry(entry) {
    this.go(this.views.entry(entry));
  }

  openQuestionForm() {
    this.go(this.views.ask);
  }

  /** Return to the previous view. */
  leave() {
    this.trail.pop();
    this.view(this);
    this.focus();
  }

  /** Render the current view again, in another language. */
  repaint() {
    this.site = null;
    this.label();
    this.view?.(this);
  }

  show(...children) {
    this.body.replaceChildren(...children);
    this.body.scrollTop = 0;
    this.backButton.hidden = this.trail.length < 2;
  }

  showError(error) {
    const retry = { type: "button", class: "button", onclick: () => this.view(this) };
    this.show(errorLine(reasonOf(error)), el("button", retry, translate("again")));
  }

  /**
   * Show `children` and resolve to the answer of `fetchAnswer`.
   *
   * Resolves to null where the reader has gone to another view, or an error is shown.
   */
  async load(fetchAnswer, ...children) {
    const { view } = this;
    this.show(...children);
    try {
      const answer = await fetchAnswer();
      return this.view === view ? answer : null;
    } catch (error) {
      if (this.view === view) this.showError(error);
      return null;
    }
  }

  /** Focus the search box; on a phone the title, because a keyboard would hide the list. */
  focus() {
    const box =
      matchMedia("(hover: hover)").matches && this.body.querySelector("input[type=search]");
    (box || this.title).focus();
  }
}
