// The agents' console, from what the customer said to the clipboard, by keyboard.

import { Basket } from "./basket.js";
import { clicked } from "./clicks.js";
import { Customer } from "./customer.js";
import { toggle } from "./favourites.js";
import { Filters } from "./filters.js";
import { Finder } from "./finder.js";
import { meaning, place } from "./keys.js";
import { Misses } from "./misses.js";
import { Next } from "./next.js";
import { Picks } from "./picks.js";
import { copyPicture } from "./pictures.js";
import { Results } from "./results.js";
import { followSegment } from "./segment.js";
import { Sender } from "./sender.js";
import { chip, speaker } from "./sight.js";

const ONCE = new Set(["copy", "advance", "pick", "escape", "favour", "link", "mine"]); // not while held
for (const action of ["basket-add", "basket-out", "basket-copy"]) ONCE.add(action);

class Console {
  constructor() {
    const [form, box, channel, panes] = ["ask", "q", "channel", "panes"].map(byId);
    Object.assign(this, { form, box, channel, panes });
    this.say = speaker(byId("said"));
    this.customer = new Customer(form.dataset.owner);
    this.sender = new Sender(this.say);
    this.results = new Results(this);
    this.filters = new Filters({ form, changed: () => this.narrow() });
    this.finder = new Finder(this);
    this.picks = new Picks(this);
    this.misses = new Misses(this);
    this.basket = new Basket(this);
    this.next = new Next(this);
    const changed = () => this.finder.changed();
    followSegment({ select: byId("segment"), customer: this.customer, changed });
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
    const { current } = this.picks; // the agent may type on while it is copied
    const { reply } = this.results;
    if (!(await this.sender.send(reply))) return;
    this.picks.tell([current], { channel: reply.channel });
    this.next.after(current?.entry);
    this.focus();
  }

  async link(button = this.panes.querySelector("[data-copy-link]")) {
    if (!button) return this.say("这条没有公开的 FAQ 页面", "warn");
    const { current } = this.picks;
    if (!(await this.sender.link(button.dataset.copyLink))) return;
    this.picks.tell([{ ...current, reply: "" }], { kind: "link", channel: this.channel.value });
    this.focus();
  }

  async picture(button) {
    const { current } = this.picks;
    const done = await copyPicture(button.dataset.copyPicture);
    if (done) this.say("已复制图片", "ok");
    else this.say("这里不能复制图片，已在新窗口打开，请在图片上右键复制", "warn");
    this.picks.tell([{ ...current, reply: "" }], { kind: "picture", channel: this.channel.value });
  }

  // Several replies as one text ------------------------------------------------

  collect() {
    this.finder.settled(async () => {
      if (!(await this.shown())) return;
      this.basket.add(this.results.reply, this.picks.current);
      this.focus();
    });
  }

  async copyBasket() {
    if (await this.basket.copy()) this.focus();
  }

  async favour(button = this.panes.querySelector("[data-favour]")) {
    if (!button) return;
    try {
      this.say((await toggle(button)) ? "已收藏" : "已取消收藏", "ok");
    } catch {
      this.say("没能收藏，请再试一次", "bad");
    }
  }

  advance(input) {
    if (input.closest("#basket")) {
      const following = this.basket.missedAfter(input);
      return following ? following.focus() : void this.copyBasket();
    }
    const { reply } = this.results;
    const next = reply?.missedAfter(input);
    if (next && !reply.missed().includes(input.dataset.fill)) next.focus();
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
    const known = this.customer.isKnown || this.basket.items.length > 0;
    this.say(known ? "再按一次 Esc 换下一位客户" : "");
  }

  nextCustomer() {
    const known = this.customer.isKnown || this.basket.items.length > 0;
    this.customer.clear();
    this.basket.clear();
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
    byId("customer-values").replaceChildren(...[...this.customer.values].map(chip));
    this.results.reply?.draw();
  }

  /** Another filter: the list follows, and the reply in sight is counted anew. */
  narrow() {
    this.results.reply?.draw();
    this.finder.changed();
    this.focus();
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
      favour: () => void this.favour(),
      link: () => void this.link(),
      mine: () => void this.results.reply?.variant.querySelector("[data-mine]")?.click(),
      "basket-add": () => void this.collect(),
      "basket-out": () => void this.basket.remove(),
      "basket-move": () => void this.basket.move(argument),
      "basket-copy": () => void this.copyBasket(),
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
    const [target, act] = clicked(event.target);
    if (!target) return this.clickBeside(event);
    if (target.matches(".option") && (event.ctrlKey || event.metaKey || event.shiftKey)) return;
    event.preventDefault();
    act(this, target);
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

function byId(id) {
  return document.getElementById(id);
}

const agents = new Console();
agents.listen();
agents.drawCustomer();
for (const part of ["keys", "clear"]) byId(part).hidden = false;
document.documentElement.classList.add("scripted");
if (document.activeElement === document.body) agents.focus();
if (!location.search && agents.filters.restore()) agents.finder.changed();
