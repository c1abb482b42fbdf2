// Autosave of the form on the server, for its writer only.

import { debounce, FormPost } from "./entry_form.js";

const WAIT_MS = 2000; // after the last key
const form = document.querySelector("#entry_form");

export function startAutosave(aside) {
  const status = document.querySelector("[data-kept]");
  const autosave = new FormPost(aside.dataset.keep);
  let isSubmitted = false;

  /** Return all that is typed, without files. */
  function requestBody() {
    const texts = [...new FormData(form)].filter(([, value]) => typeof value === "string");
    return new URLSearchParams([...texts, ["_entry", aside.dataset.entry]]);
  }

  async function save() {
    if (isSubmitted) return;
    try {
      const saved = await autosave.postForJson(requestBody(), "没有暂存成，请稍后再试。");
      if (!aside.dataset.entry) getIdField().value = saved.id;
      status.textContent = `${saved.at} 已暂存，只有您看得到。`;
    } catch (error) {
      if (error.name !== "AbortError") status.textContent = `没有暂存：${error.message}`;
    }
  }

  /* Return the hidden field with the id of the autosave of a new entry. */
  function getIdField() {
    let input = form.elements.namedItem("_unsaved");
    if (!input) {
      input = document.createElement("input");
      input.type = "hidden";
      input.name = "_unsaved";
      form.append(input);
    }
    return input;
  }

  const saveSoon = debounce(save, WAIT_MS);
  form.addEventListener("input", saveSoon);
  form.addEventListener("change", saveSoon);
  document.addEventListener("formset:added", saveSoon);
  document.addEventListener("formset:removed", saveSoon);
  form.addEventListener("submit", () => {
    isSubmitted = true; // a late autosave would offer what has just been saved
    autosave.abort();
  });
}
