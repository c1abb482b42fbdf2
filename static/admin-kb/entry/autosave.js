// What is typed is kept on the server now and then, for its writer alone.

import { FormPost, settled } from "./entry_form.js";

const WAIT = 2000; // milliseconds after the last key
const form = document.querySelector("#entry_form");

export function keepTyped(aside) {
  const said = document.querySelector("[data-kept]");
  const autosave = new FormPost(aside.dataset.keep);
  let sent = false;

  /** All that is typed; a chosen file is no text. */
  function requestBody() {
    const texts = [...new FormData(form)].filter(([, value]) => typeof value === "string");
    return new URLSearchParams([...texts, ["_entry", aside.dataset.entry]]);
  }

  async function keep() {
    if (sent) return;
    try {
      const saved = await autosave.postForJson(requestBody(), "没有暂存成，请稍后再试。");
      if (!aside.dataset.entry) row().value = saved.id;
      said.textContent = `${saved.at} 已暂存，只有您看得到。`;
    } catch (error) {
      if (error.name !== "AbortError") said.textContent = `没有暂存：${error.message}`;
    }
  }

  /* Of a new entry: which row it is kept in. */
  function row() {
    let input = form.elements.namedItem("_unsaved");
    if (!input) {
      input = document.createElement("input");
      input.type = "hidden";
      input.name = "_unsaved";
      form.append(input);
    }
    return input;
  }

  const soon = settled(keep, WAIT);
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  document.addEventListener("formset:added", soon);
  document.addEventListener("formset:removed", soon);
  form.addEventListener("submit", () => {
    sent = true; // a late one would bring back what has just been saved
    autosave.abort();
  });
}
