// Keeps what is typed into a form until the server has saved it.
//
//   <form data-keep-draft="answer-12">   the key: letters, digits, - and _
//   <li data-saved-draft="answer-12">    on a later page: the server has saved it
//
// A draft is stored in this browser under the id of its user, for a week at most. It is offered
// when the form is opened again, and removed at logout. Other users never see it. Before the form
// is sent, the session is checked; a user who was signed out can sign in without leaving the page.

import { ensureSignedIn, pageUser } from "./sign_in.js";

const PREFIX = "kb-draft";
const MAX_AGE_MS = 7 * 86_400_000;
const SAVE_DELAY_MS = 300;
const MAX_SHOWN_CHARS = 24;
const attached = new WeakMap();

/** Keep what is typed into `form`; return its Draft, the same for each call. */
export function keepDraft(form, key = form.dataset.keepDraft) {
  if (!attached.has(form)) attached.set(form, new Draft(form, key));
  return attached.get(form);
}

export class Draft {
  constructor(form, key) {
    this.form = form;
    this.prefix = `${PREFIX}:${pageUser}:${key}:`;
    this.id = this.prefix + randomId(); // two tabs never overwrite each other
    this.baseline = JSON.stringify(this.values); // the values that the server sent
    this.isSubmitted = false;
    this.isStopped = false; // the user has logged out
    this.undo = null;
    this.line = document.createElement("div");
    this.line.className = "draft-line notice warn small";
    this.line.setAttribute("role", "status");
    this.line.hidden = true;
    form.prepend(this.line);
    this.listen();
    this.adopt();
    this.offer();
  }

  get controls() {
    return [...this.form.elements].filter((control) => control.name && isKept(control));
  }

  /** The values of the fields, as [name, value] pairs in their order. */
  get values() {
    return this.controls.map((control) => [control.name, readValue(control)]);
  }

  // Keep -----------------------------------------------------------------------

  save() {
    clearTimeout(this.timer);
    if (this.isStopped) return;
    const { values } = this;
    if (JSON.stringify(values) === this.baseline) return removeRecord(this.id);
    writeRecord(this.id, { at: Date.now(), values, submitted: this.isSubmitted });
  }

  saveSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), SAVE_DELAY_MS);
  }

  /** The server has saved the form: no draft is offered again. */
  clear() {
    clearTimeout(this.timer);
    removeRecord(this.id);
    this.baseline = JSON.stringify(this.values);
    this.hideLine();
  }

  // Offer again ----------------------------------------------------------------

  /** Other drafts of this form, the latest first. */
  get others() {
    const records = readRecords(this.prefix).filter(({ id }) => id !== this.id);
    return records.sort((a, b) => b.at - a.at);
  }

  /** Keep the draft of a form that was sent and came back with an error. */
  adopt() {
    const loaded = this.baseline;
    for (const { id, values, submitted } of this.others) {
      if (JSON.stringify(values) !== loaded) continue;
      removeRecord(id);
      if (!submitted) continue; // the server has the same values
      this.baseline = "";
      this.save();
    }
  }

  offer() {
    const [draft] = this.others.filter(
      ({ values }) => JSON.stringify(values) !== JSON.stringify(this.values),
    );
    if (!draft) return this.hideLine();
    const begin = describe(draft.values);
    const when = new Date(draft.at).toLocaleString("zh-CN", {
      month: "numeric",
      day: "numeric",
      hour: "2-digit",
      minute: "2-digit",
    });
    const what = draft.submitted ? "提交过的内容，不确定有没有存好" : "写的内容没有保存";
    this.showLine(`${when} ${what}${begin ? `：“${begin}”` : "。"}`, [
      ["恢复", () => this.restore(draft)],
      ["丢弃", () => this.discard(draft)],
    ]);
  }

  restore(draft) {
    const before = this.values;
    this.write(draft.values);
    removeRecord(draft.id);
    this.save();
    this.showLine("已恢复没有保存的内容。", [
      [
        "撤销",
        () => {
          writeRecord(draft.id, draft);
          this.write(before);
          this.save();
          this.offer();
        },
      ],
    ]);
    this.controls
      .find((control) => control.type !== "checkbox" && control.type !== "radio")
      ?.focus();
  }

  discard(draft) {
    removeRecord(draft.id);
    this.showLine("已丢弃。", [
      [
        "撤销",
        () => {
          writeRecord(draft.id, draft);
          this.offer();
        },
      ],
    ]);
  }

  /** Put `values` into the fields that have these names, each in its order. */
  write(values) {
    const left = [...values];
    for (const control of this.controls) {
      const at = left.findIndex(([name]) => name === control.name);
      if (at < 0) continue;
      const [[, value]] = left.splice(at, 1);
      writeValue(control, value);
      control.dispatchEvent(new Event("input", { bubbles: true }));
      control.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  showLine(text, buttons) {
    const words = document.createElement("span");
    words.textContent = text;
    this.line.hidden = false;
    this.line.replaceChildren(
      words,
      ...buttons.map(([name, act]) => {
        const button = document.createElement("button");
        Object.assign(button, { type: "button", className: "button small", textContent: name });
        button.addEventListener("click", act);
        return button;
      }),
    );
  }

  hideLine() {
    this.line.hidden = true;
    this.line.replaceChildren();
  }

  // Send -----------------------------------------------------------------------

  /** Submit the form natively after checking that the user is signed in. */
  async submit(submitter) {
    if (this.isChecking) return;
    this.isChecking = true;
    this.save();
    try {
      if (await ensureSignedIn()) {
        this.isChecked = true;
        this.form.requestSubmit(submitter);
      } else {
        this.showLine("还没有登录，没有提交。内容都还在。", []);
      }
    } catch {
      this.showLine("网络不通，没有提交。内容都还在，请稍后再试。", []);
    } finally {
      this.isChecking = this.isChecked = false;
    }
  }

  listen() {
    const { form } = this;
    for (const kind of ["input", "change"]) form.addEventListener(kind, () => this.saveSoon());
    form.addEventListener("reset", () => setTimeout(() => this.save()));
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return; // a script of the page sends it
      if (this.isChecked) {
        this.isSubmitted = true;
        return this.save();
      }
      event.preventDefault();
      event.stopPropagation(); // it is not sent yet
      this.submit(event.submitter);
    });
    addEventListener("pagehide", () => this.save());
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.isSubmitted = false;
    });
    document.addEventListener("visibilitychange", () => document.hidden && this.save());
    addEventListener("storage", (event) => {
      if (event.key === null) this.isStopped = true; // another tab has logged out
    });
    document.addEventListener("logged-out", () => (this.isStopped = true));
  }
}

// Fields -------------------------------------------------------------------------

function isKept(control) {
  if (control.closest("[data-no-draft]")) return false;
  if (!control.matches("input, textarea, select")) return false;
  return !["hidden", "password", "file", "submit", "button", "reset", "image"].includes(
    control.type,
  );
}

function readValue(control) {
  if (control.type === "checkbox" || control.type === "radio") return control.checked;
  if (control.multiple && control.options)
    return [...control.selectedOptions].map(({ value }) => value);
  return control.value;
}

function writeValue(control, value) {
  if (typeof value === "boolean") control.checked = value;
  else if (Array.isArray(value))
    for (const option of control.options) option.selected = value.includes(option.value);
  else control.value = value;
}

/** The beginning of the longest text in `values`. */
function describe(values) {
  const texts = values.map(([, value]) => value).filter((value) => typeof value === "string");
  const longest = texts.reduce((a, b) => (b.length > a.length ? b : a), "");
  const characters = [...longest.replace(/\s+/g, " ").trim()];
  return (
    characters.slice(0, MAX_SHOWN_CHARS).join("") + (characters.length > MAX_SHOWN_CHARS ? "…" : "")
  );
}

// Storage: where it is full or forbidden, a draft lasts as long as the page --------

function writeRecord(id, record) {
  try {
    localStorage.setItem(id, JSON.stringify(record));
  } catch {
    // see above
  }
}

function removeRecord(id) {
  try {
    localStorage.removeItem(id);
  } catch {
    // see above
  }
}

/** Records whose id begins with `prefix`, as {id, at, values, submitted}. */
function readRecords(prefix) {
  try {
    const ids = Object.keys(localStorage).filter((id) => id.startsWith(prefix));
    const records = ids.map((id) => ({ ...JSON.parse(localStorage.getItem(id)), id }));
    return records.filter(({ values }) => Array.isArray(values));
  } catch {
    return [];
  }
}

/** Remove drafts of all users that are too old, and those that the server has saved. */
function removeOldAndSaved() {
  for (const { id, at } of readRecords(`${PREFIX}:`)) {
    if (!(Math.abs(Date.now() - at) < MAX_AGE_MS)) removeRecord(id);
  }
  for (const { dataset } of document.querySelectorAll("[data-saved-draft]")) {
    const records = readRecords(`${PREFIX}:${pageUser}:${dataset.savedDraft}:`);
    for (const { id, submitted } of records) if (submitted) removeRecord(id);
  }
}

function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(8))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

if (pageUser) {
  removeOldAndSaved();
  for (const form of document.querySelectorAll("form[data-keep-draft]")) keepDraft(form);
}
