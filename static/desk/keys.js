// The desk's keys: what carries data-key is what that key does. Without this
// file everything works by hand.

import { isComposing } from "../shared/composing.js";

const OFF = "desk-keys-off";
const TYPING = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";
const bar = document.getElementById("keys");
const toggle = document.getElementById("keys-switch");
const keyed = [...document.querySelectorAll("[data-key]")];
let leaving = false; // one key, one decision: what is typed on the way out is lost
let waiting = null; // the button that waits until the words beside it were looked at
let unsaved = null; // the form whose words would be lost

function isOn() {
  return localStorage.getItem(OFF) === null;
}

function show() {
  bar.hidden = false;
  toggle.setAttribute("aria-pressed", String(isOn()));
  toggle.textContent = isOn() ? "快捷键：开" : "快捷键：关";
  document.body.classList.toggle("keys-off", !isOn());
}

function act(element) {
  if (element.matches("details")) {
    element.open = true;
    element.querySelector("input:not([type=hidden]), textarea")?.focus();
  } else if (element.matches("input, textarea")) {
    element.focus();
    if (element.matches("input")) element.select();
  } else {
    element.click();
  }
}

function leaveField(target) {
  if (target.matches(TYPING)) return target.blur();
  const open = target.closest("details[open]");
  if (open) {
    open.open = false;
    document.activeElement.blur();
  }
}

// In a group of radio buttons, a digit chooses and arrows are the browser's own.
function inRadios(event) {
  if (!event.target.matches("[type=radio]")) return false;
  const radio = event.target.form.elements[event.target.name][Number(event.key) - 1];
  radio?.focus();
  radio?.click();
  return Boolean(radio) || event.key.startsWith("Arrow");
}

// A customer's words are looked at before they are kept: the first press of a
// button only opens the box, Enter in it is the second.
function review(event) {
  const box = event.target.querySelector("[data-review]");
  const button = event.submitter;
  if (!box || !["entry", "do"].includes(button?.name)) return;
  if (["refuse", "look"].includes(button.value) || box.dataset.reviewed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  box.dataset.reviewed = "1";
  waiting = button;
  const hint = event.target.querySelector("[data-review-hint]");
  if (hint) hint.textContent = "改好后按 Enter 收下。";
  box.focus();
  box.setSelectionRange(0, box.value.length);
}

function keep(box) {
  if (waiting?.form === box.form) waiting.click();
  else box.blur();
}

function onKey(event) {
  // While an input method composes, every key belongs to it.
  if (isComposing(event) || event.defaultPrevented) return;
  if (event.ctrlKey || event.metaKey) return withControl(event);
  if (event.altKey || inEditing(event) || isTaken(event)) return;
  const element = elementFor(event.key);
  if (!element) return;
  event.preventDefault();
  if (!event.repeat && !leaving) act(element);
}

/** Whether the key is typed into a field, chooses a radio button, or keys are off. */
function isTaken(event) {
  return event.target.matches(TYPING) || !isOn() || inRadios(event);
}

/** Ctrl+Enter sends the form, wherever the caret stands in it. */
function withControl({ key, target }) {
  if (key === "Enter") target.form?.requestSubmit();
}

/** Escape leaves a field; Enter in the reviewed words takes them. Whether the key was one of these. */
function inEditing(event) {
  const { key, target } = event;
  const isReviewed = key === "Enter" && target.id === "phrasing";
  if (key === "Escape") leaveField(target);
  if (isReviewed) {
    event.preventDefault();
    keep(target);
  }
  return key === "Escape" || isReviewed;
}

/** What carries `key`; letters count in either case. */
function elementFor(key) {
  const name = key.length === 1 ? key.toLowerCase() : key;
  return keyed.find((element) => element.dataset.key.split(" ").includes(name));
}

document.addEventListener("submit", review, true);
document.addEventListener("keydown", onKey);
document.addEventListener("input", (event) => {
  unsaved = event.target.closest("form[data-guard]") ?? unsaved;
});
document.addEventListener("submit", (event) => {
  if (event.target === unsaved) unsaved = null;
  leaving = true;
});
window.addEventListener("beforeunload", (event) => {
  if (!unsaved) return;
  event.preventDefault();
  leaving = false; // the person may stay
});
window.addEventListener("pageshow", () => {
  leaving = false;
});

if (bar) {
  toggle.addEventListener("click", () => {
    if (isOn()) localStorage.setItem(OFF, "1");
    else localStorage.removeItem(OFF);
    show();
  });
  show();
}
// The tabs scroll sideways on a phone: where one is must be in sight.
document
  .querySelector(".tabs [aria-current]")
  ?.scrollIntoView({ block: "nearest", inline: "center" });
document.querySelector(".field.bad :is(input, textarea, select)")?.focus();
