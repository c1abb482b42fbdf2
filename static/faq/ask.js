/* Answers appear while a question is being written; the input method is left alone. */

const DELAY = 300; // ms after the last key
const FEWEST = 2; // characters
const form = document.querySelector("[data-ask]");
const box = form.querySelector("textarea");
const place = form.querySelector("[data-offered]");
let timer = 0;
let request = null;
let asked = box.value.trim();

async function look(words) {
  request?.abort();
  const mine = (request = new AbortController());
  const url = `${form.dataset.ask}?q=${encodeURIComponent(words.slice(0, 200))}`;
  try {
    const answer = await fetch(url, { signal: mine.signal });
    if (answer.ok && request === mine) show(await answer.text());
  } catch {
    // offline or overtaken: the form still works
  }
}

function show(html) {
  if (html.trim() !== place.innerHTML.trim()) place.innerHTML = html; // by our templates
}

function typed(event) {
  if (event.isComposing) return;
  const words = box.value.trim();
  if (words === asked || words.length < FEWEST) return;
  asked = words;
  clearTimeout(timer);
  timer = setTimeout(look, DELAY, words);
}

box.addEventListener("input", typed);
box.addEventListener("compositionend", typed);
document.querySelector("#refused")?.focus();
