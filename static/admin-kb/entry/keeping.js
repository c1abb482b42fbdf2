// What is typed is kept on the server now and then, for its writer alone.

import { Asking, settled } from "./typed.js";

const WAIT = 2000; // milliseconds after the last key
const form = document.querySelector("#entry_form");

export function keepTyped(aside) {
  const said = document.querySelector("[data-kept]");
  const asking = new Asking(aside.dataset.keep);
  let sent = false;

  async function keep() {
    if (sent) return;
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form))
      if (typeof value === "string") body.append(name, value);
    body.set("_entry", aside.dataset.entry);
    try {
      const response = await asking.post(body);
      if (!response.headers.get("Content-Type")?.includes("json"))
        throw new Error("没有暂存成，请稍后再试。");
      const told = await response.json();
      if (told.error) throw new Error(told.error);
      if (!aside.dataset.entry) row().value = told.id;
      said.textContent = `${told.at} 已暂存，只有您看得到。`;
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
    asking.controller.abort();
  });
}
