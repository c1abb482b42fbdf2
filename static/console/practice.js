// 新人练习 by keyboard: search as in the console, choose by Enter, arrows or digits.

import { isComposing } from "../shared/composing.js";
import { LatestFragment } from "./fragments.js";

const PAUSE_MS = 60; // without a key before a search
const form = document.getElementById("practice-search");
const box = document.getElementById("q");
const results = document.getElementById("practice-results");
const showAnswerButton = document.querySelector("[data-show-answer]");
const latest = new LatestFragment();
let searchedWords = box.value.trim(); // of the results on the page
let timer = 0;
let searching = Promise.resolve();
let sent = false;

function listResults() {
  return [...results.querySelectorAll(".practice-result")];
}

function search() {
  clearTimeout(timer);
  const words = box.value.trim();
  if (words === searchedWords) return searching;
  searchedWords = words;
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
    results.replaceChildren(await latest.get(`${form.action}?${query}`));
  } catch (error) {
    if (error.name === "AbortError") return;
    searchedWords = null; // the next key searches again
    results.querySelector("[role=status]")?.replaceChildren("网络不通，结果没有更新");
  }
}

/** Choose result `number` once the results belong to the words. */
async function take(number) {
  const words = box.value.trim();
  await search();
  if (sent || words !== box.value.trim() || searchedWords !== words) return;
  const result = listResults()[number - 1];
  if (!result) return;
  sent = true;
  result.click();
}

function moveFocus(event, by) {
  const all = listResults();
  const at = all.indexOf(document.activeElement) + by;
  event.preventDefault();
  if (at < 0) box.focus();
  else all[Math.min(at, all.length - 1)]?.focus();
}

function onKey(event) {
  if (isComposing(event) || event.ctrlKey || event.metaKey) return;
  const number = chosenNumber(event);
  if (number !== null) choose(event, number);
  else if (!event.altKey) keys[event.key]?.(event);
}

function isOnResult({ target }) {
  return target.matches?.(".practice-result") ?? false;
}

/** The result that a digit means, 0 for the answer; null for other keys and for typed digits. */
function chosenNumber(event) {
  const digit = /^Digit([0-9])$/.exec(event.code)?.[1];
  const isChoice = event.altKey || (isOnResult(event) && digit !== "0");
  return digit && isChoice ? Number(digit) : null;
}

function choose(event, number) {
  event.preventDefault();
  if (event.repeat) return;
  if (number === 0) showAnswerButton.click();
  else take(number);
}

const keys = {
  ArrowDown: (event) => {
    if (event.target === box || isOnResult(event)) moveFocus(event, 1);
  },
  ArrowUp: (event) => {
    if (isOnResult(event)) moveFocus(event, -1);
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
  timer = setTimeout(search, PAUSE_MS);
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
  // WebKit empties the fields of a page from its cache after this event.
  if (event.persisted && searchedWords !== null) setTimeout(() => (box.value = searchedWords));
});
for (const hint of document.querySelectorAll(".keys-hint")) hint.hidden = false;
form.querySelector("button").hidden = true;
