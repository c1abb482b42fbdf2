/* The preview panel: what a sentence would find with the row as it is typed in the form. */

import { parseTrustedHtml } from "../shared/html.js";
import { LatestRequest } from "../shared/http.js";

const WAIT_MS = 300; // after the last key
const panel = document.querySelector("#panel");
if (panel) attach();

function attach() {
  const form = panel.closest("form");
  const words = panel.querySelector("#panel-words");
  const shown = panel.querySelector("[data-shown]");
  const latest = new LatestRequest();
  let timer = 0;

  /** Return the sentence, and the row as it is in the form. */
  function requestBody() {
    const body = new URLSearchParams({
      q: words.value,
      kind: panel.dataset.kind,
      row: panel.dataset.row,
    });
    for (const name of panel.dataset.fields.split(" ")) {
      const field = form.elements.namedItem(name);
      if (field && (field.type !== "checkbox" || field.checked)) body.set(name, field.value);
    }
    return body;
  }

  async function update() {
    const token = form.elements.namedItem("csrfmiddlewaretoken").value;
    const options = { method: "POST", body: requestBody(), token };
    try {
      const html = await latest.fetchText(panel.dataset.address, options);
      shown.replaceChildren(parseTrustedHtml(html));
    } catch (error) {
      if (error.name !== "AbortError") shown.textContent = "没有查成，请检查网络后再试。";
    }
  }

  function updateSoon(event) {
    if (event.target === words && !words.value.trim()) return;
    clearTimeout(timer);
    if (words.value.trim()) timer = setTimeout(update, WAIT_MS);
  }

  words.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // must not save
  });
  form.addEventListener("input", updateSoon);
  form.addEventListener("change", updateSoon);
  panel.hidden = false;
}
