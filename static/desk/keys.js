// Keyboard shortcuts of the desk: a key activates the element whose data-key names it.
// The pages work without this file.

import { isComposing } from "../shared/composing.js";

const OFF = "desk-keys-off";
const TYPING = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";
const bar = document.getElementById("keys");
const toggle = document.getElementById("keys-switch");
const keyed = [...document.querySelectorAll("[data-key]")];
let isLeaving = false; // keys are ignored after a form was sent
let pendingButton = null; // pressed, but the phrasing beside it must be reviewed first
let unsavedForm = null; // text in it would be lost

function isOn() {
  return localStorage.getItem(OFF) === null;
}

function show() {
  bar.hidden = false;
  toggle.setAttribute("aria-pressed", String(isOn()));
  toggle.textContent = isOn() ? "快捷键：开" : "快捷键：关";
  document.body.classList.toggle("keys-off", !isOn());
}

function activate(element) {
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
function chooseRadio(event) {
  if (!event.target.matches("[type=radio]")) return false;
  const radio = event.target.form.elements[event.target.name][Number(event.key) - 1];
  radio?.focus();
  radio?.click();
  return Boolean(radio) || event.key.startsWith("Arrow");
}

// A phrasing with personal data is reviewed before it is added: the first press of a
// button focuses the field, Enter in it presses the button again.
function review(event) {
  const box = event.target.querySelector("[data-review]");
  const button = event.submitter;
  if (!box || !["entry", "do"].includes(button?.name)) return;
  if (["refuse", "look"].includes(button.value) || box.dataset.reviewed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  box.dataset.reviewed = "1";
  pendingButton = button;
  const hint = event.target.querySelector("[data-review-hint]");
  if (hint) hint.textContent = "改好后按 Enter 收下。";
  box.focus();
  box.setSelectionRange(0, box.value.length);
}

function confirmReview(box) {
  if (pendingButton?.form === box.form) pendingButton.click();
  else box.blur();
}

function onKey(event) {
  // While an input method composes, every key belongs to it.
  if (isComposing(event) || event.defaultPrevented) return;
  if (event.ctrlKey || event.metaKey) return submitWithControl(event);
  if (event.altKey || handleEditingKey(event) || isTaken(event)) return;
  const element = findElement(event.key);
  if (!element) return;
  event.preventDefault();
  if (!event.repeat && !isLeaving) activate(element);
}

/** Whether the key is typed into a field, chooses a radio button, or keys are off. */
function isTaken(event) {
  return event.target.matches(TYPING) || !isOn() || chooseRadio(event);
}

/** Ctrl+Enter submits the form of the focused field. */
function submitWithControl({ key, target }) {
  if (key === "Enter") target.form?.requestSubmit();
}

/** Escape leaves a field, Enter in a reviewed phrasing confirms it. Return whether it was one of these. */
function handleEditingKey(event) {
  const { key, target } = event;
  const isReviewed = key === "Enter" && target.id === "phrasing";
  if (key === "Escape") leaveField(target);
  if (isReviewed) {
    event.preventDefault();
    confirmReview(target);
  }
  return key === "Escape" || isReviewed;
}

/** Return the element for `key`; letters are case-insensitive. */
function findElement(key) {
  const name = key.length === 1 ? key.toLowerCase() : key;
  return keyed.find((element) => element.dataset.key.split(" ").includes(name));
}

document.addEventListener("submit", review, true);
document.addEventListener("keydown", onKey);
document.addEventListener("input", (event) => {
  unsavedForm = event.target.closest("form[data-guard]") ?? unsavedForm;
});
document.addEventListener("submit", (event) => {
  if (event.target === unsavedForm) unsavedForm = null;
  isLeaving = true;
});
window.addEventListener("beforeunload", (event) => {
  if (!unsavedForm) return;
  event.preventDefault();
  isLeaving = false; // the person may stay
});
window.addEventListener("pageshow", () => {
  isLeaving = false;
});

if (bar) {
  toggle.addEventListener("click", () => {
    if (isOn()) localStorage.setItem(OFF, "1");
    else localStorage.removeItem(OFF);
    show();
  });
  show();
}
// The tabs scroll sideways on a phone: bring the current one into view.
document
  .querySelector(".tabs [aria-current]")
  ?.scrollIntoView({ block: "nearest", inline: "center" });
document.querySelector(".field.bad :is(input, textarea, select)")?.focus();
