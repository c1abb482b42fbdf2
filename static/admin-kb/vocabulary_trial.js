/* A sentence is tried on the vocabulary as it stands in the form, while one types. */

import { parseTrustedHtml } from "../shared/html.js";
import { LatestRequest } from "../shared/http.js";

const WAIT = 300; // milliseconds after the last key
const panel = document.querySelector("#panel");
if (panel) attach();

function attach() {
  const form = panel.closest("form");
  const words = panel.querySelector("#panel-words");
  const shown = panel.querySelector("[data-shown]");
  const latest = new LatestRequest();
  let timer = 0;

  /** The sentence, and the row as it stands in the form. */
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

  async function ask() {
    const token = form.elements.namedItem("csrfmiddlewaretoken").value;
    const options = { method: "POST", body: requestBody(), token };
    try {
      const html = await latest.fetchText(panel.dataset.address, options);
      shown.replaceChildren(parseTrustedHtml(html));
    } catch (error) {
      if (error.name !== "AbortError") shown.textContent = "没有查成，请检查网络后再试。";
    }
  }

  function soon(event) {
    if (event.target === words && !words.value.trim()) return;
    clearTimeout(timer);
    if (words.value.trim()) timer = setTimeout(ask, WAIT);
  }

  words.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // must not save
  });
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  panel.hidden = false;
}
