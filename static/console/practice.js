// 新人练习 by keyboard: search as in the console, choose by Enter, arrows or digits.

import { isComposing } from "../shared/composing.js";
import { Latest } from "./fragments.js";

const PAUSE = 60; // ms without a key before a search
const form = document.getElementById("practise");
const box = document.getElementById("q");
const found = document.getElementById("found");
const look = document.querySelector("[data-look]");
const latest = new Latest();
let asked = box.value.trim(); // what the list on the page answers
let timer = 0;
let searching = Promise.resolve();
let sent = false;

function picks() {
  return [...found.querySelectorAll(".pick")];
}

function search() {
  clearTimeout(timer);
  const words = box.value.trim();
  if (words === asked) return searching;
  asked = words;
  searching = paint(words);
  return searching;
}

async function paint(words) {
  const query = new URLSearchParams({
    fragment: "results",
    question: form.elements.question.value,
    q: words,
  });
  try {
    found.replaceChildren(await latest.get(`${form.action}?${query}`));
  } catch (error) {
    if (error.name === "AbortError") return;
    asked = null; // the next key asks again
    found.querySelector("[role=status]")?.replaceChildren("网络不通，结果没有更新");
  }
}

/** Take result `number`, once the list answers what was typed. */
async function take(number) {
  const words = box.value.trim();
  await search();
  if (sent || words !== box.value.trim() || asked !== words) return;
  const pick = picks()[number - 1];
  if (!pick) return;
  sent = true;
  pick.click();
}

function walk(event, by) {
  const all = picks();
  const at = all.indexOf(document.activeElement) + by;
  event.preventDefault();
  if (at < 0) box.focus();
  else all[Math.min(at, all.length - 1)]?.focus();
}

function onKey(event) {
  // While an input method composes, every key belongs to it.
  if (isComposing(event) || event.ctrlKey || event.metaKey) return;
  const number = chosenNumber(event);
  if (number !== null) choose(event, number);
  else if (!event.altKey) keys[event.key]?.(event);
}

function isOnPick({ target }) {
  return target.matches?.(".pick") ?? false;
}

/** The result that a digit means, 0 for the answer; null for other keys and for typed digits. */
function chosenNumber(event) {
  const digit = /^Digit([0-9])$/.exec(event.code)?.[1];
  const isChoice = event.altKey || (isOnPick(event) && digit !== "0");
  return digit && isChoice ? Number(digit) : null;
}

function choose(event, number) {
  event.preventDefault();
  if (event.repeat) return;
  if (number === 0) look.click();
  else take(number);
}

const keys = {
  ArrowDown: (event) => {
    if (event.target === box || isOnPick(event)) walk(event, 1);
  },
  ArrowUp: (event) => {
    if (isOnPick(event)) walk(event, -1);
  },
  Enter: (event) => {
    if (event.target === box) choose(event, 1);
  },
  Escape: () => {
    box.focus();
    box.select();
  },
};

function typing() {
  clearTimeout(timer);
  timer = setTimeout(search, PAUSE);
}

document.addEventListener("keydown", onKey);
box.addEventListener("input", (event) => event.isComposing || typing());
box.addEventListener("compositionend", typing);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
addEventListener("pageshow", (event) => {
  sent = false;
  // WebKit empties fields of a kept page after this event.
  if (event.persisted && asked !== null) setTimeout(() => (box.value = asked));
});
for (const hint of document.querySelectorAll(".keys-hint")) hint.hidden = false;
form.querySelector("button").hidden = true;
