/* Shows answers while a question is being written, and shrinks pictures before they are sent. */

import { parseTrustedHtml } from "../shared/html.js";
import { LatestRequest } from "../shared/http.js";
import { shrinkPicture } from "../shared/shrink_picture.js";

const DELAY_MS = 300; // after the last key
const MIN_CHARS = 2;
const form = document.querySelector("[data-ask]");
const box = form.querySelector("textarea");
const place = form.querySelector("[data-offered]");
const pictures = form.querySelector("[name=pictures]");
let shrinking = null; // a promise while pictures are being shrunk
let timer = 0;
const latest = new LatestRequest();
let searchedText = box.value.trim();

async function loadAnswers(words) {
  const url = `${form.dataset.ask}?q=${encodeURIComponent(words.slice(0, 200))}`;
  try {
    show(await latest.fetchText(url));
  } catch {
    // offline or replaced by a later request: the form still works
  }
}

function show(html) {
  if (html.trim() !== place.innerHTML.trim()) place.replaceChildren(parseTrustedHtml(html));
}

function onInput(event) {
  if (event.isComposing) return;
  const words = box.value.trim();
  if (words === searchedText || words.length < MIN_CHARS) return;
  searchedText = words;
  clearTimeout(timer);
  timer = setTimeout(loadAnswers, DELAY_MS, words);
}

async function shrinkPictures() {
  const transfer = new DataTransfer();
  for (const file of await Promise.all([...pictures.files].map(shrinkPicture)))
    transfer.items.add(file);
  pictures.files = transfer.files;
  shrinking = null;
}

function onSubmit(event) {
  if (!shrinking) return;
  event.preventDefault();
  shrinking.then(() => form.requestSubmit(event.submitter));
}

pictures?.addEventListener("change", () => {
  shrinking = shrinkPictures();
});
form.addEventListener("submit", onSubmit);
box.addEventListener("input", onInput);
box.addEventListener("compositionend", onInput);
document.querySelector("#refused")?.focus();
