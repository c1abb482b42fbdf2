// The agents' console, from what the customer said to the clipboard, by keyboard.

import { Customer } from "./customer.js";
import { Finder } from "./finder.js";
import { meaning, place } from "./keys.js";
import { Next } from "./next.js";
import { Picks } from "./picks.js";
import { strip } from "./reply.js";
import { Results } from "./results.js";
import { Sender } from "./sender.js";

const ONCE = new Set(["copy", "advance", "pick", "escape"]); // not while a key is held

class Console {
  constructor() {
    const [form, box, category, panes] = ["ask", "q", "category", "panes"].map(byId);
    Object.assign(this, { form, box, category, panes });
    this.say = speaker(byId("said"));
    this.customer = new Customer(form.dataset.owner);
    this.sender = new Sender(this.say);
    this.results = new Results(this);
    this.finder = new Finder(this);
    this.picks = new Picks(this);
    this.next = new Next(this);
    this.escaped = false; // the key before was Escape, too
  }

  // Choose -------------------------------------------------------------------

  move(by) {
    this.say("");
    this.finder.settled(() => this.choose(() => this.results.move(by)));
  }

  select(option) {
    this.say("");
    this.choose(() => this.results.select(option));
  }

  choose(change) {
    this.sender.disarm();
    change();
    this.results.ready.then(
      () => this.finder.remember(),
      (error) => this.gone(error),
    );
  }

  /** The chosen entry cannot be shown: most likely it was retired just now. */
  gone(error) {
    if (error.status !== 404) return this.finder.fail(error);
    this.say("这条话术刚刚下线了", "warn");
    this.finder.search();
  }

  step(by) {
    const moved = this.results.reply?.step(by) ?? false;
    if (moved) this.say("");
    return moved;
  }

  // Copy ---------------------------------------------------------------------

  pick(number) {
    this.finder.settled(async () => {
      const option = this.results.options[number - 1];
      if (!option) return;
      if (option !== this.results.selected) this.select(option);
      if (!(await this.shown()) || option !== this.results.selected) return;
      if (this.results.reply?.index) this.results.reply.show(0);
      await this.send();
    });
  }

  copy() {
    this.finder.settled(async () => {
      if (await this.shown()) await this.send();
    });
  }

  /** Whether the preview belongs to the selected entry; `gone` says why not. */
  shown() {
    return this.results.ready.then(
      () => true,
      () => false,
    );
  }

  async send() {
    const pick = this.picks.current; // the agent may type on while it is copied
    if (!(await this.sender.send(this.results.reply))) return;
    this.picks.tell([pick]);
    this.next.after(pick?.entry);
    this.focus();
  }

  async link(button) {
    const pick = this.picks.current;
    if (!(await this.sender.link(button.dataset.copyLink))) return;
    this.picks.tell([{ ...pick, reply: "" }], { kind: "link" });
    this.focus();
  }

  advance(input) {
    const next = this.results.reply?.emptyAfter(input);
    if (strip(input.value) && next) next.focus();
    else this.copy();
  }

  // Customer -----------------------------------------------------------------

  /** Once: an empty box. Twice: the next customer. */
  escape() {
    const twice = this.escaped;
    this.escaped = true;
    this.finder.cancel();
    if (twice) return this.nextCustomer();
    const inBox = document.activeElement === this.box;
    this.focus();
    if (inBox) this.clear();
    this.sender.disarm();
    this.say(this.customer.isKnown ? "再按一次 Esc 换下一位客户" : "");
  }

  nextCustomer() {
    const known = this.customer.isKnown;
    this.customer.clear();
    this.clear();
    this.focus();
    this.say(known ? "已清空，请接待下一位客户" : "");
  }

  /** An empty box to type into, also on a phone: that is what was asked for. */
  empty() {
    this.clear();
    this.box.focus();
  }

  clear() {
    this.box.value = "";
    this.finder.typing();
  }

  drawCustomer() {
    this.sender.disarm();
    this.say("");
    byId("customer").hidden = !this.customer.isKnown;
    const pairs = [...this.customer.values].flatMap(([name, value]) => [
      element("dt", name),
      element("dd", value),
    ]);
    byId("customer-values").replaceChildren(...pairs);
    this.results.reply?.draw();
  }

  // What the agent sees and touches --------------------------------------------

  /** The box, with its words selected: the next customer's replace them. */
  focus() {
    if (matchMedia("(pointer: coarse)").matches) return; // no keyboard over the text
    this.box.focus();
    this.box.select();
  }

  key(event) {
    const [action, argument] = meaning(event);
    if (event.key !== "Escape") this.escaped = false;
    if (!action) return;
    const held = event.repeat && ONCE.has(action);
    if (held || this.act(action, argument, event.target) !== false) event.preventDefault();
  }

  /** Do `action`; false leaves the key to the browser as well. */
  act(action, argument, target) {
    const actions = {
      next: () => this.move(1),
      previous: () => this.move(-1),
      copy: () => this.copy(),
      advance: () => this.advance(target),
      tab: () => this.step(argument),
      "variant-next": () => void this.turn(1, target),
      "variant-previous": () => void this.turn(-1, target),
      pick: () => void this.pick(argument),
      escape: () => void this.escape(),
      box: () => this.focus(),
      type: () => (this.box.focus(), false),
    };
    return actions[action]();
  }

  /** Another variant; the focus moves along when it is on the tabs. */
  turn(by, target) {
    if (!this.step(by)) return;
    const { reply } = this.results;
    if (place(target) === "tab") reply.tabs[reply.index].focus();
  }

  click(event) {
    const target = event.target.closest(".option, [data-copy], [data-copy-link], #clear, #next-customer");
    if (!target) return this.clickBeside(event);
    if (target.matches(".option") && (event.ctrlKey || event.metaKey || event.shiftKey)) return;
    event.preventDefault();
    if (target.matches(".option")) this.select(target);
    else if (target.matches("[data-copy]")) this.copy();
    else if (target.matches("[data-copy-link]")) this.link(target);
    else if (target.matches("#clear")) this.empty();
    else this.nextCustomer();
  }

  /** A click on nothing gives the focus back, unless it selected text. */
  clickBeside(event) {
    const idle = place(event.target) === "page" && !event.target.closest("label");
    if (idle && getSelection().isCollapsed) this.focus();
  }

  listen() {
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("click", (event) => this.click(event));
    for (const other of ["input", "pointerdown"]) {
      document.addEventListener(other, () => (this.escaped = false));
    }
    this.panes.addEventListener("mousedown", (event) => {
      if (event.target.closest(".option, .tab, button")) event.preventDefault();
    });
    this.box.addEventListener("input", (event) => event.isComposing || this.finder.typing());
    this.box.addEventListener("compositionend", () => this.finder.typing());
    this.category.addEventListener("change", () => {
      this.finder.changed();
      this.focus();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.finder.search();
    });
    this.customer.addEventListener("change", () => this.drawCustomer());
    addEventListener("focus", () => document.activeElement === document.body && this.focus());
    document.addEventListener("visibilitychange", () => this.finder.refresh());
    addEventListener("pageshow", (event) => event.persisted && this.finder.refresh());
  }
}

/** A function that writes into the live region `where`. */
function speaker(where) {
  let frame = 0;
  return (text, kind = "") => {
    cancelAnimationFrame(frame);
    where.className = kind;
    where.textContent = ""; // emptied first, so that the same is read out again
    if (text) frame = requestAnimationFrame(() => (where.textContent = text));
  };
}

function byId(id) {
  return document.getElementById(id);
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

const agents = new Console();
agents.listen();
agents.drawCustomer();
for (const part of ["keys", "clear"]) byId(part).hidden = false;
document.documentElement.classList.add("scripted");
if (document.activeElement === document.body) agents.focus();
