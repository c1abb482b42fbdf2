// What is to be mended, what is alike, and the blanks of replies, while one writes.

import { FormPost, field, replies, settled, typed, whenTyped } from "./entry_form.js";

const WAIT = 600; // milliseconds after the last key

function make(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** Take the reader to a finding: its field, its words selected. */
export function jump({ name, start, end }) {
  const target = field(name);
  if (!target) return;
  target.dispatchEvent(new CustomEvent("reveal", { bubbles: true })); // it may be chips
  target.scrollIntoView({ block: "center" });
  target.focus();
  if (start === end) return;
  const letters = [...target.value]; // the server counts characters, not halves of them
  const units = (count) => letters.slice(0, count).join("").length;
  target.setSelectionRange(units(start), units(end));
  target.scrollTop =
    (target.scrollHeight * start) / (letters.length || 1) - target.clientHeight / 2;
}

export function showFindings(aside) {
  const list = aside.querySelector("[data-findings]");
  const count = aside.querySelector("[data-count]");
  const near = aside.querySelector("[data-near]");
  const lookup = new FormPost(aside.dataset.look);

  async function look() {
    const body = typed();
    if (aside.dataset.entry) body.set("entry", aside.dataset.entry);
    try {
      draw(await lookup.postForJson(body, "没有查成，请稍后再试。"));
    } catch (error) {
      if (error.name !== "AbortError") count.textContent = error.message;
    }
  }

  function draw(found) {
    const mild = found.findings.length + found.more - found.errors;
    const parts = [found.errors && `${found.errors} 处不能发布`, mild && `${mild} 处提醒`].filter(
      Boolean,
    );
    count.textContent = parts.join("，") || "没有发现问题";
    list.replaceChildren(...found.findings.map(row));
    if (found.more) list.append(make("li", `另有 ${found.more} 处。`));
    aside.querySelector("[data-alike]").hidden = !found.near.length;
    near.replaceChildren(...found.near.map(alike));
    for (const card of replies()) drawReply(card, found.replies);
  }

  function row(one) {
    const button = make("button", "", { type: "button" });
    button.className = "finding";
    button.append(
      make("span", one.error ? "不能发布" : "提醒", {
        class: `badge ${one.error ? "bad" : "warn"}`,
      }),
      make("span", `${one.place}　`, { class: "place" }),
      make("q", one.words),
      make("span", `${one.reason}${one.suggestion ? `。${one.suggestion}` : ""}`, { class: "why" }),
    );
    const place = { name: one.field, start: one.here ? one.start : 0, end: one.here ? one.end : 0 };
    button.addEventListener("click", () => jump(place));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }

  function alike(one) {
    const item = document.createElement("li");
    const link = make("a", one.question, { href: one.url, target: "_blank", rel: "noopener" });
    item.append(link, make("span", one.status, { class: "badge" }));
    if (one.same) item.append(make("span", "几乎一样", { class: "badge warn" }));
    if (aside.dataset.merge) {
      const address = `${aside.dataset.merge}?other=${one.id}`;
      item.append(
        make("a", "合并到本条…", {
          href: address,
          "aria-label": `把「${one.question}」合并到本条`,
        }),
      );
    }
    return item;
  }

  whenTyped(settled(look, WAIT));
  look();
}

/* Below a reply: how it reads, its blanks marked. */
function drawReply(card, drawn) {
  const text = card.querySelector("textarea");
  const reply = drawn.find((one) => one.field === text.name);
  let shown = card.querySelector(".drawn");
  if (!shown) {
    shown = make("div", "", { class: "drawn" });
    text.after(shown);
  }
  shown.hidden = !reply?.pieces.length;
  if (!reply) return;
  const pieces = reply.pieces.map(([words, name]) =>
    name ? make("mark", name, { title: words }) : document.createTextNode(words),
  );
  shown.replaceChildren(...pieces, make("span", `${reply.length} 字`, { class: "length" }));
}
