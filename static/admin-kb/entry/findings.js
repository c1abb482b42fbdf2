// Style findings, similar entries and the blanks of replies, updated while typing.

import {
  debounce,
  FormPost,
  getField,
  listReplyCards,
  onFormChange,
  readTypedTexts,
} from "./entry_form.js";

const WAIT_MS = 600; // after the last key

function createElement(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** Focus the field of a finding and select its text. */
export function showInField({ name, start, end }) {
  const target = getField(name);
  if (!target) return;
  target.dispatchEvent(new CustomEvent("reveal", { bubbles: true })); // the field may be shown as chips
  target.scrollIntoView({ block: "center" });
  target.focus();
  if (start === end) return;
  const letters = [...target.value]; // the server counts code points, not UTF-16 units
  const units = (count) => letters.slice(0, count).join("").length;
  target.setSelectionRange(units(start), units(end));
  target.scrollTop =
    (target.scrollHeight * start) / (letters.length || 1) - target.clientHeight / 2;
}

export function showFindings(aside) {
  const list = aside.querySelector("[data-findings]");
  const count = aside.querySelector("[data-count]");
  const similarList = aside.querySelector("[data-near]");
  const lookup = new FormPost(aside.dataset.look);

  async function check() {
    const body = readTypedTexts();
    if (aside.dataset.entry) body.set("entry", aside.dataset.entry);
    try {
      show(await lookup.postForJson(body, "没有查成，请稍后再试。"));
    } catch (error) {
      if (error.name !== "AbortError") count.textContent = error.message;
    }
  }

  function show(result) {
    const mild = result.findings.length + result.more - result.errors;
    const parts = [result.errors && `${result.errors} 处不能发布`, mild && `${mild} 处提醒`].filter(
      Boolean,
    );
    count.textContent = parts.join("，") || "没有发现问题";
    list.replaceChildren(...result.findings.map(createFindingItem));
    if (result.more) list.append(createElement("li", `另有 ${result.more} 处。`));
    aside.querySelector("[data-alike]").hidden = !result.near.length;
    similarList.replaceChildren(...result.near.map(createSimilarItem));
    for (const card of listReplyCards()) showReply(card, result.replies);
  }

  function createFindingItem(finding) {
    const button = createElement("button", "", { type: "button" });
    button.className = "finding";
    button.append(
      createElement("span", finding.error ? "不能发布" : "提醒", {
        class: `badge ${finding.error ? "bad" : "warn"}`,
      }),
      createElement("span", `${finding.place}　`, { class: "place" }),
      createElement("q", finding.words),
      createElement(
        "span",
        `${finding.reason}${finding.suggestion ? `。${finding.suggestion}` : ""}`,
        { class: "why" },
      ),
    );
    const place = {
      name: finding.field,
      start: finding.here ? finding.start : 0,
      end: finding.here ? finding.end : 0,
    };
    button.addEventListener("click", () => showInField(place));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }

  function createSimilarItem(entry) {
    const item = document.createElement("li");
    const link = createElement("a", entry.question, {
      href: entry.url,
      target: "_blank",
      rel: "noopener",
    });
    item.append(link, createElement("span", entry.status, { class: "badge" }));
    if (entry.same) item.append(createElement("span", "几乎一样", { class: "badge warn" }));
    if (aside.dataset.merge) {
      const address = `${aside.dataset.merge}?other=${entry.id}`;
      item.append(
        createElement("a", "合并到本条…", {
          href: address,
          "aria-label": `把「${entry.question}」合并到本条`,
        }),
      );
    }
    return item;
  }

  onFormChange(debounce(check, WAIT_MS));
  check();
}

/* Show a reply below its field, with its blanks marked. */
function showReply(card, replies) {
  const text = card.querySelector("textarea");
  const reply = replies.find((row) => row.field === text.name);
  let shown = card.querySelector(".drawn");
  if (!shown) {
    shown = createElement("div", "", { class: "drawn" });
    text.after(shown);
  }
  shown.hidden = !reply?.pieces.length;
  if (!reply) return;
  const pieces = reply.pieces.map(([words, name]) =>
    name ? createElement("mark", name, { title: words }) : document.createTextNode(words),
  );
  shown.replaceChildren(
    ...pieces,
    createElement("span", `${reply.length} 字`, { class: "length" }),
  );
}
