/* Answers appear while a question is being written; the input method is left alone.
   Pictures are made light before they are sent. */

import { parseTrustedHtml } from "../shared/html.js";
import { LatestRequest } from "../shared/http.js";
import { small } from "../shared/shrink_picture.js";

const DELAY = 300; // ms after the last key
const FEWEST = 2; // characters
const form = document.querySelector("[data-ask]");
const box = form.querySelector("textarea");
const place = form.querySelector("[data-offered]");
const pictures = form.querySelector("[name=pictures]");
let shrinking = null; // until all that was chosen is light enough to send
let timer = 0;
const latest = new LatestRequest();
let asked = box.value.trim();

async function look(words) {
  const url = `${form.dataset.ask}?q=${encodeURIComponent(words.slice(0, 200))}`;
  try {
    show(await latest.fetchText(url));
  } catch {
    // offline or overtaken: the form still works
  }
}

function show(html) {
  if (html.trim() !== place.innerHTML.trim()) place.replaceChildren(parseTrustedHtml(html));
}

function typed(event) {
  if (event.isComposing) return;
  const words = box.value.trim();
  if (words === asked || words.length < FEWEST) return;
  asked = words;
  clearTimeout(timer);
  timer = setTimeout(look, DELAY, words);
}

async function shrink() {
  const light = new DataTransfer();
  for (const file of await Promise.all([...pictures.files].map(small))) light.items.add(file);
  pictures.files = light.files;
  shrinking = null;
}

function sent(event) {
  if (!shrinking) return;
  event.preventDefault();
  shrinking.then(() => form.requestSubmit(event.submitter));
}

pictures?.addEventListener("change", () => {
  shrinking = shrink();
});
form.addEventListener("submit", sent);
box.addEventListener("input", typed);
box.addEventListener("compositionend", typed);
document.querySelector("#refused")?.focus();
