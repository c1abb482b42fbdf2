// The basket: several replies, copied as one text with greeting and closing.

import { BasketItems, MAX_ITEMS } from "./basket_items.js";
import { carriedNames, fill, missed, pieces, strip } from "./blanks.js";
import { adaptToChannel, measureMessage } from "./channels.js";
import { copyPrepared, offerManualCopy } from "./clipboard.js";
import { markCarried } from "./reply.js";
import { describeCarried } from "./reply_sender.js";

export class Basket {
  /** `keepForUndo` is called with a label before every change that can be undone. */
  constructor({ form, customer, say, picks, keepForUndo }) {
    Object.assign(this, { customer, say, picks, keepForUndo, channel: byId("channel") });
    // A function, because reading `sessionStorage` throws where storage is forbidden.
    this.contents = new BasketItems(
      () => sessionStorage,
      `kb-console-basket-${form.dataset.owner}`,
    );
    this.element = byId("basket");
    this.list = byId("basket-items");
    this.armed = false; // a second key press copies although something is doubtful
    this.asksCarried = false; // the question is whether it is still the same customer
    this.element.addEventListener("click", (event) => this.click(event));
    this.element.addEventListener("input", (event) => this.onInput(event.target));
    customer.addEventListener("change", () => this.draw());
    this.channel.addEventListener("change", () => this.draw());
    this.draw(true);
  }

  get items() {
    return this.contents.items;
  }

  add(reply, pick) {
    if (!reply) return this.say("没有可加入的话术", "warn");
    if (reply.unsendableReason) return this.say(reply.unsendableReason, "bad");
    if (this.contents.isFull) return this.say(`一次最多组合 ${MAX_ITEMS} 条`, "warn");
    const { drawn, title } = reply;
    this.contents.add({ drawn, title, pick });
    this.say(`已加入组合，第 ${this.items.length} 条`, "ok");
    return this.draw(true);
  }

  /** Move the current one up or down; it stays the current one. */
  move(by, at) {
    if (!this.contents.move(by, at)) return;
    const { items, at: place } = this.contents;
    this.say(`${items[place].title}：第 ${place + 1} 条`);
    this.draw(true);
  }

  remove(at = this.contents.at) {
    if (!this.items[at]) return;
    this.keepForUndo("移出");
    const { title } = this.items[at];
    this.contents.remove(at);
    this.draw(true);
    this.say(`已移出组合：${title}。按 Alt+Z 撤销`);
  }

  empty() {
    if (!this.items.length) return;
    this.keepForUndo("清空组合");
    this.replace([]);
    this.say("组合已清空，按 Alt+Z 撤销");
  }

  /** Replace the items. */
  replace(items) {
    this.contents.replace(items);
    this.draw(true);
  }

  /** Put `items` back before those that were added since. */
  addMissing(items) {
    this.contents.addMissing(items);
    this.draw(true);
  }

  /** Read the storage again: another page of this tab may have changed it. */
  load() {
    this.contents.load();
    this.draw(true);
  }

  // The text ---------------------------------------------------------------------

  /** The drawn pieces of every part, in order. */
  get parts() {
    const [opening, ...closing] = isFrameChosen() ? readFrame() : [];
    const parts = [opening, ...this.items.map((item) => item.drawn), ...closing];
    return parts
      .filter((part) => part?.length)
      .map((part) => adaptToChannel(part, this.channel.value));
  }

  value = (name) => this.customer.get(name);

  get text() {
    return this.parts.map((part) => fill(part, this.value)).join("\n");
  }

  get missed() {
    return missed(this.parts.flat(), this.value);
  }

  get carried() {
    return carriedNames(this.parts.flat(), this.customer);
  }

  /** Copy all as one text; resolves to whether it was. Call it within the key press. */
  async copy() {
    const { text, isCopied } = await copyPrepared(async () => this.prepare());
    if (text === null) return false;
    if (!isCopied && !(await offerManualCopy(text))) return this.say("没有复制", "bad");
    const { items, missed: names } = this;
    this.picks.report(
      items.map((item) => item.pick),
      { kind: "basket", channel: this.channel.value },
    );
    this.keepForUndo("复制并清空组合");
    this.customer.confirm(this.carried);
    this.replace([]);
    const left = names.length ? `，但还空着：${names.join("、")}` : "";
    this.say(`已复制组合，共 ${items.length} 条${left}`, left ? "warn" : "ok");
    return true;
  }

  /** The text to copy, or null when something has to be filled in or confirmed first. */
  prepare() {
    if (!this.items.length) {
      this.say("组合还是空的，按 Alt+= 加入话术", "warn");
      return null;
    }
    const { missed: names, carried } = this;
    if ((names.length || carried.length) && !this.armed) return this.arm(names, carried);
    return this.text;
  }

  /** Show what is doubtful and wait for a second key press. */
  arm(names, carried) {
    const doubtful = [...names, ...carried];
    const blanks = this.parts.flat().filter(({ name }) => doubtful.includes(name));
    const once = new Map(blanks.map((blank) => [blank.name, blank]));
    byId("basket-fills").replaceChildren(...[...once.values()].map(field));
    this.draw();
    this.armed = true;
    this.asksCarried = carried.length > 0;
    const empty = this.inputs.filter((input) => names.includes(input.dataset.fill));
    for (const input of empty) input.setAttribute("aria-invalid", "true");
    empty[0]?.focus();
    const reasons = names.length ? [`还没填：${names.join("、")}`] : [];
    if (carried.length) reasons.push(describeCarried(carried, this.customer));
    const again = this.asksCarried
      ? "是同一位客户，再按一次 Ctrl+Enter；不是，按 Esc"
      : "仍要复制，再按一次 Ctrl+Enter";
    this.say(`${reasons.join("；")}。${again}`, "warn");
    return null;
  }

  /** The next field after `input` that must be filled. */
  missedAfter(input) {
    const names = this.missed.filter((name) => name !== input.dataset.fill);
    return this.inputs.find((other) => names.includes(other.dataset.fill));
  }

  // Elements -------------------------------------------------------------------

  draw(rebuild = false) {
    this.armed = this.asksCarried = false;
    this.element.hidden = !this.items.length;
    if (rebuild) {
      this.list.replaceChildren(...this.items.map((item, at) => this.row(item, at)));
      byId("basket-fills").replaceChildren();
    }
    for (const input of this.inputs) {
      const value = this.value(input.dataset.fill);
      if (input.value !== value) input.value = value;
      if (strip(value)) input.removeAttribute("aria-invalid");
      markCarried(input, this.customer.isCarried(input.dataset.fill));
    }
    const { text, over } = measureMessage(this.text, this.channel.value);
    const length = byId("basket-length");
    length.textContent = text;
    length.classList.toggle("over", over);
  }

  get inputs() {
    return [...byId("basket-fills").querySelectorAll("[data-fill]")];
  }

  row({ title }, at) {
    const row = byId("basket-row").content.firstElementChild.cloneNode(true);
    row.querySelector(".title").textContent = title;
    row.classList.toggle("current", at === this.contents.at);
    for (const button of row.querySelectorAll("button")) {
      button.dataset.at = String(at);
      button.append(makeHiddenText(`：${title}`));
    }
    return row;
  }

  click(event) {
    const { action, at } = event.target.closest("button")?.dataset ?? {};
    const actions = {
      up: () => this.move(-1, Number(at)),
      down: () => this.move(1, Number(at)),
      out: () => this.remove(Number(at)),
      empty: () => this.empty(),
    };
    actions[action]?.();
  }

  onInput(target) {
    if (target.matches("[data-fill]")) this.customer.set(target.dataset.fill, target.value);
    if (target.id === "basket-frame") this.draw(true);
  }
}

/** A field for `blank`, like those of a preview. */
function field(blank) {
  const label = document.createElement("label");
  const name = document.createElement("span");
  name.textContent = blank.optional ? `${blank.name}（选填）` : blank.name;
  const choice = blank.kind === "choice";
  const input = document.createElement(choice ? "select" : "input");
  input.className = "input";
  input.dataset.fill = blank.name;
  if (choice) {
    input.add(new Option(blank.initial || "请选择", ""));
    for (const one of blank.choices) if (one !== blank.initial) input.add(new Option(one, one));
  } else {
    Object.assign(input, { type: blank.kind, maxLength: 200, autocomplete: "off" });
    input.placeholder = blank.initial;
  }
  label.append(name, input);
  return label;
}

function isFrameChosen() {
  return byId("basket-frame")?.checked ?? false;
}

/** The pieces of greeting, closing and signature. */
function readFrame() {
  return [...document.querySelectorAll("#profile-texts [data-part]")].map(pieces);
}

function makeHiddenText(text) {
  const span = document.createElement("span");
  span.className = "visually-hidden";
  span.textContent = text;
  return span;
}

function byId(id) {
  return document.getElementById(id);
}
