// Several replies, put in order and copied as one text, with a greeting and a farewell.

import { carriedNames, fill, missed, pieces, strip } from "./blanks.js";
import { measured, shaped } from "./channels.js";
import { copyPrepared } from "./clipboard.js";
import { copyByHand } from "./manual_copy.js";
import { markCarried } from "./reply.js";
import { describeCarried } from "./sender.js";

const FRESH = 3_600_000; // ms: what lay in the basket for longer may be outdated
const MOST = 20; // as many as the server takes

export class Basket {
  /** `keep` is called with what will be done, before it is done: it can be taken back. */
  constructor({ form, customer, say, picks, keepForUndo }) {
    Object.assign(this, { customer, say, picks, keepForUndo, channel: byId("channel") });
    this.key = `kb-console-basket-${form.dataset.owner}`;
    this.element = byId("basket");
    this.list = byId("basket-items");
    this.items = stored(this.key);
    this.at = this.items.length - 1; // the one that is moved and taken out
    this.armed = false; // may be copied though something is doubtful
    this.asksCarried = false; // the question is whether values are of the same customer
    this.element.addEventListener("click", (event) => this.click(event));
    this.element.addEventListener("input", (event) => this.typed(event.target));
    customer.addEventListener("change", () => this.draw());
    this.channel.addEventListener("change", () => this.draw());
    this.draw(true);
  }

  add(reply, pick) {
    if (!reply) return this.say("没有可加入的话术", "warn");
    if (reply.barred) return this.say(reply.barred, "bad");
    if (this.items.length >= MOST) return this.say(`一次最多组合 ${MOST} 条`, "warn");
    const { drawn, title } = reply;
    this.items.push({ drawn, title, pick, since: Date.now() });
    this.at = this.items.length - 1;
    this.say(`已加入组合，第 ${this.items.length} 条`, "ok");
    return this.changed();
  }

  /** Move the current one up or down; it stays the current one. */
  move(by, at = this.at) {
    const to = at + by;
    if (!this.items[at] || !this.items[to]) return;
    [this.items[at], this.items[to]] = [this.items[to], this.items[at]];
    this.at = to;
    this.say(`${this.items[to].title}：第 ${to + 1} 条`);
    this.changed();
  }

  remove(at = this.at) {
    if (!this.items[at]) return;
    this.keepForUndo("移出");
    const { title } = this.items[at];
    this.replace(this.items.filter((_, other) => other !== at));
    this.say(`已移出组合：${title}。按 Alt+Z 撤销`);
  }

  empty() {
    if (!this.items.length) return;
    this.keepForUndo("清空组合");
    this.replace([]);
    this.say("组合已清空，按 Alt+Z 撤销");
  }

  /** Hold `items` from now on. */
  replace(items) {
    this.items = items;
    this.at = items.length - 1;
    this.changed();
  }

  /** Hold `items` again, and behind them what was added since. */
  addMissing(items) {
    const known = new Set(items.map((item) => JSON.stringify(item)));
    this.replace([...items, ...this.items.filter((item) => !known.has(JSON.stringify(item)))]);
  }

  /** Read what this tab holds: another page of it may have changed it. */
  load() {
    this.items = stored(this.key);
    this.at = this.items.length - 1;
    this.draw(true);
  }

  // The text ---------------------------------------------------------------------

  /** The drawn pieces of every part, in order. */
  get parts() {
    const [opening, ...closing] = framed() ? frame() : [];
    const parts = [opening, ...this.items.map((item) => item.drawn), ...closing];
    return parts.filter((part) => part?.length).map((part) => shaped(part, this.channel.value));
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
    if (!isCopied && !(await copyByHand(text))) return this.say("没有复制", "bad");
    const { items, missed: names } = this;
    this.picks.tell(
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

  /** The first time with something doubtful: show it, and ask again. */
  arm(names, carried) {
    const asked = [...names, ...carried];
    const blanks = this.parts.flat().filter(({ name }) => asked.includes(name));
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

  // What is seen -------------------------------------------------------------------

  changed() {
    keep(this.key, this.items);
    this.draw(true);
  }

  draw(anew = false) {
    this.armed = this.asksCarried = false;
    this.element.hidden = !this.items.length;
    if (anew) {
      this.list.replaceChildren(...this.items.map((item, at) => this.row(item, at)));
      byId("basket-fills").replaceChildren();
    }
    for (const input of this.inputs) {
      const value = this.value(input.dataset.fill);
      if (input.value !== value) input.value = value;
      if (strip(value)) input.removeAttribute("aria-invalid");
      markCarried(input, this.customer.isCarried(input.dataset.fill));
    }
    const { text, over } = measured(this.text, this.channel.value);
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
    row.classList.toggle("current", at === this.at);
    for (const button of row.querySelectorAll("button")) {
      button.dataset.at = String(at);
      button.append(hidden(`：${title}`));
    }
    return row;
  }

  click(event) {
    const { action, at } = event.target.closest("button")?.dataset ?? {};
    const acts = {
      up: () => this.move(-1, Number(at)),
      down: () => this.move(1, Number(at)),
      out: () => this.remove(Number(at)),
      empty: () => this.empty(),
    };
    acts[action]?.();
  }

  typed(target) {
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

function framed() {
  return byId("basket-frame")?.checked ?? false;
}

/** What stands around the replies: the greeting, the farewell, the signature. */
function frame() {
  return [...document.querySelectorAll("#manner [data-part]")].map(pieces);
}

function hidden(text) {
  const made = document.createElement("span");
  made.className = "visually-hidden";
  made.textContent = text;
  return made;
}

function keep(key, items) {
  try {
    sessionStorage.setItem(key, JSON.stringify(items));
  } catch {
    // Storage is full or forbidden: the basket lasts as long as the page.
  }
}

function stored(key) {
  try {
    const items = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    return items.filter(({ drawn, since }) => Array.isArray(drawn) && Date.now() - since < FRESH);
  } catch {
    return [];
  }
}

function byId(id) {
  return document.getElementById(id);
}
