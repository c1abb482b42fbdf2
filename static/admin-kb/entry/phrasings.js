// Phrasings as chips. The textarea is what is posted; without this script it is the field.

import { isComposing } from "../../shared/composing.js";
import { parseTrustedHtml } from "../../shared/html.js";

const area = document.querySelector("#entry_form textarea[name=phrasings]");
if (area) attach();

function attach() {
  const box = document.createElement("div");
  box.className = "chips-field";
  box.append(
    parseTrustedHtml(`<ul class="chips" aria-label="相似问法"></ul>
    <div class="chips-entry"><input type="text" maxlength="200" autocomplete="off" aria-label="加一个相似问法" placeholder="写一个问法，按回车">
    <button type="button" data-bulk>成批编辑</button></div><span class="visually-hidden" role="status"></span>`),
  );
  const [list, input, bulk, status] = ["ul", "input", "[data-bulk]", "[role=status]"].map((name) =>
    box.querySelector(name),
  );

  const texts = () =>
    area.value
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);

  function setLines(lines) {
    area.value = lines.join("\n");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    update();
  }

  function update() {
    list.replaceChildren(...texts().map(createChip));
  }

  function createChip(text, position) {
    const item = document.createElement("li");
    const edit = document.createElement("button");
    const drop = document.createElement("button");
    edit.type = drop.type = "button";
    edit.textContent = text;
    edit.title = "点一下修改";
    drop.textContent = "×";
    drop.setAttribute("aria-label", `去掉「${text}」`);
    edit.addEventListener("click", () => {
      setLines(texts().filter((_, index) => index !== position));
      input.value = text;
      input.focus();
    });
    drop.addEventListener("click", () => {
      setLines(texts().filter((_, index) => index !== position));
      status.textContent = `已去掉「${text}」。`;
      (
        list.children[Math.min(position, list.children.length - 1)]?.lastElementChild ?? input
      ).focus();
    });
    item.append(edit, drop);
    return item;
  }

  /* Add lines; those that differ only in case or spacing are equal. */
  function add(lines) {
    const current = texts();
    const key = (text) =>
      text
        .normalize("NFKC")
        .toLowerCase()
        .replace(/[\s\p{P}]/gu, "");
    const keys = new Set(current.map(key));
    const added = lines
      .map((line) => line.trim().replace(/\s+/g, " "))
      .filter((line) => line && !keys.has(key(line)) && keys.add(key(line)));
    status.textContent = added.length ? `加了 ${added.length} 个。` : "已经有这个问法了。";
    setLines([...current, ...added]);
    input.value = "";
  }

  const actions = {
    Enter: (event) => {
      event.preventDefault(); // must not send the form
      if (input.value.trim()) add([input.value]);
    },
    Backspace: () => {
      if (!input.value) list.lastElementChild?.lastElementChild.focus();
    },
  };

  input.addEventListener("keydown", (event) => {
    if (isComposing(event)) return; // Enter belongs to the input method
    actions[event.key]?.(event);
  });
  input.addEventListener("input", (event) => event.stopPropagation()); // nothing is added yet
  input.addEventListener("paste", (event) => {
    const lines = event.clipboardData.getData("text/plain").split(/\r?\n/);
    if (lines.length < 2) return;
    event.preventDefault();
    add([input.value, ...lines]);
  });
  area.form.addEventListener("submit", () => input.value.trim() && add([input.value]));
  bulk.addEventListener("click", () => open(box.dataset.open !== "yes"));
  area.addEventListener("reveal", () => open(true));
  area.addEventListener("change", update);

  function open(yes) {
    box.dataset.open = yes ? "yes" : "no";
    area.hidden = !yes;
    list.hidden = yes;
    input.hidden = yes;
    bulk.textContent = yes ? "改完了" : "成批编辑";
    bulk.setAttribute("aria-expanded", String(yes));
    if (!yes) update();
  }

  area.before(box);
  open(Boolean(area.closest(".errors")));
}
