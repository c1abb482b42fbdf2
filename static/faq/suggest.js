/* Suggestions under a search box, as an ARIA combobox. */

import { isComposing } from "../shared/composing.js";
import { parseTrustedHtml } from "../shared/html.js";
import { LatestRequest } from "../shared/http.js";

const DELAY_MS = 60; // after the last key

for (const form of document.querySelectorAll("[data-suggest]")) attach(form);

function attach(form) {
  const input = form.querySelector("input");
  const list = form.querySelector("[role=listbox]");
  const status = form.querySelector("[role=status]");
  let timer = 0;
  const latest = new LatestRequest();
  let shown = input.value.trim(); // the query of the list
  let active = -1;

  const options = () => [...list.children];

  function cancel() {
    clearTimeout(timer);
    latest.abort();
  }

  function close() {
    cancel();
    list.hidden = true;
    select(-1);
    input.setAttribute("aria-expanded", "false");
    status.textContent = "";
  }

  function select(index) {
    active = index;
    for (const [at, option] of options().entries()) {
      option.setAttribute("aria-selected", String(at === index));
    }
    const option = options()[index];
    if (!option) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function show(html, words) {
    list.replaceChildren(parseTrustedHtml(html));
    shown = words;
    const count = options().length;
    if (!count) return close();
    list.hidden = false;
    select(-1);
    input.setAttribute("aria-expanded", "true");
    status.textContent = form.dataset.countText.replace("{n}", count);
  }

  async function load(words) {
    cancel();
    const url = `${form.dataset.suggest}?q=${encodeURIComponent(words)}`;
    try {
      show(await latest.fetchText(url), words);
    } catch (error) {
      if (error.name !== "AbortError") close(); // offline: the form still works
    }
  }

  function onType() {
    const words = input.value.trim();
    if (words === shown && !list.hidden) return;
    cancel();
    if (!words) {
      shown = "";
      return close();
    }
    timer = setTimeout(load, DELAY_MS, words);
  }

  function move(step) {
    if (list.hidden) {
      if (input.value.trim()) load(input.value.trim());
      return;
    }
    const places = options().length + 1; // the input itself is one of them
    select(((active + 1 + step + places) % places) - 1);
  }

  const keys = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => options()[active].click(),
    Escape: close,
  };

  function onKeydown(event) {
    if (isComposing(event) || event.altKey || event.ctrlKey || event.metaKey) return;
    const native = (event.key === "Enter" && active < 0) || (event.key === "Escape" && list.hidden);
    if (native || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");
  input.addEventListener("input", (event) => event.isComposing || onType());
  input.addEventListener("compositionend", onType);
  input.addEventListener("keydown", onKeydown);
  list.addEventListener("mousedown", (event) => event.preventDefault()); // keep the focus
  form.addEventListener("submit", close);
  form.addEventListener("focusout", (event) => form.contains(event.relatedTarget) || close());
  addEventListener("pagehide", close);
  if ("focus" in input.dataset && matchMedia("(hover: hover) and (pointer: fine)").matches) {
    input.focus({ preventScroll: true });
  }
}
