// The agents' console: search, choose and copy replies by keyboard.

import { AbandonedSearches } from "./abandoned_searches.js";
import { Basket } from "./basket.js";
import { isContinuation } from "./carried_values.js";
import { findClickAction } from "./clicks.js";
import { copyPrepared, offerManualCopy } from "./clipboard.js";
import { Customer } from "./customer.js";
import { followSegment } from "./customer_segment.js";
import { restoreFavourite, toggle } from "./favourites.js";
import { Filters } from "./filters.js";
import { Finder } from "./finder.js";
import { getKeyAction, getPlace } from "./keys.js";
import { makeChip, makeStatusWriter } from "./live_region.js";
import { NextQuestions } from "./next_questions.js";
import { Picks } from "./picks.js";
import { copyPicture } from "./pictures.js";
import { Sender } from "./reply_sender.js";
import { Results } from "./results.js";
import { UndoStack } from "./undo.js";

const ONCE = new Set(["copy", "advance", "pick", "escape", "favourite", "link", "copy-to-own"]); // no repeat while held
for (const action of ["basket-add", "basket-out", "basket-copy"]) ONCE.add(action);
for (const action of ["undo", "undo-last", "previous-customer"]) ONCE.add(action);
const IDLE_CHECK_MS = 30_000;
const PASTED = new Set(["insertFromPaste", "insertFromDrop", "insertFromPasteAsQuotation"]);

class Console {
  constructor() {
    const [form, box, channel, panes] = ["search-form", "q", "channel", "panes"].map(byId);
    Object.assign(this, { form, box, channel, panes });
    this.say = makeStatusWriter(byId("status-message"));
    this.customer = new Customer(form.dataset.owner);
    this.sender = new Sender(this.say);
    this.results = new Results(this);
    this.filters = new Filters({ form, changed: () => this.applyFilters() });
    this.finder = new Finder(this);
    this.picks = new Picks(this);
    this.abandonedSearches = new AbandonedSearches(this);
    const { owner } = form.dataset;
    this.undo = new UndoStack({
      owner,
      button: byId("undo"),
      apply: (step) => this.undoStep(step),
    });
    this.keepForUndo = (label) => this.undo.push(label, { state: this.snapshot });
    this.basket = new Basket(this);
    this.next = new NextQuestions(this);
    const changed = () => this.finder.changed();
    followSegment({ select: byId("segment"), customer: this.customer, changed });
    this.escaped = false; // the key before was Escape as well
    this.isReplacing = false; // the next input replaces all words in the box
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

  /** The selected entry cannot be shown; most likely it was just retired. */
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
    return this.copyWhen(async () => {
      const option = this.results.options[number - 1];
      if (!option) return false;
      if (option !== this.results.selected) this.select(option);
      if (!(await this.isPreviewShown()) || option !== this.results.selected) return false;
      if (this.results.reply?.index) this.results.reply.show(0);
      return true;
    });
  }

  copy() {
    return this.copyWhen(() => this.isPreviewShown());
  }

  /** Resolve to whether the preview belongs to the selected entry; `gone` says why not. */
  isPreviewShown() {
    return this.results.ready.then(
      () => true,
      () => false,
    );
  }

  /** Copy the shown reply once the results have arrived and `isReady` resolves to true. */
  async copyWhen(isReady) {
    let reply = null;
    let current = null; // the agent may go on typing while it is copied
    const { text, isCopied } = await copyPrepared(async () => {
      if (!(await this.finder.answered()) || !(await isReady())) return null;
      ({ reply } = this.results);
      ({ current } = this.picks);
      return this.sender.prepare(reply);
    });
    if (text === null) return;
    if (!isCopied && !(await offerManualCopy(text))) return this.say("没有复制", "bad");
    this.sender.sent(reply);
    this.picks.report([current], { channel: reply.channel });
    this.next.after(current?.entry);
    this.focus();
  }

  async link(button = this.panes.querySelector("[data-copy-link]")) {
    if (!button) return this.say("这条没有公开的 FAQ 页面", "warn");
    const { current } = this.picks;
    if (!(await this.sender.link(button.dataset.copyLink))) return;
    this.picks.report([{ ...current, reply: "" }], { kind: "link", channel: this.channel.value });
    this.focus();
  }

  async picture(button) {
    const { current } = this.picks;
    const done = await copyPicture(button.dataset.copyPicture);
    if (done) this.say("已复制图片", "ok");
    else this.say("这里不能复制图片，已在新窗口打开，请在图片上右键复制", "warn");
    this.picks.report([{ ...current, reply: "" }], {
      kind: "picture",
      channel: this.channel.value,
    });
  }

  // Several replies as one text ------------------------------------------------

  collect() {
    this.finder.settled(async () => {
      if (!(await this.isPreviewShown())) return;
      this.basket.add(this.results.reply, this.picks.current);
      this.focus();
    });
  }

  async copyBasket() {
    if (await this.basket.copy()) this.focus();
  }

  async toggleFavourite(button = this.panes.querySelector("[data-favourite]")) {
    if (!button) return;
    const entry = button.value;
    try {
      const isFavourite = await toggle(button);
      if (!isFavourite) this.undo.push("取消收藏", { favourite: entry });
      this.say(isFavourite ? "已收藏" : "已取消收藏", "ok");
    } catch {
      this.say("没能收藏，请再试一次", "bad");
    }
  }

  advance(input) {
    if (input.closest("#basket")) {
      const nextInput = this.basket.missedAfter(input);
      return nextInput ? nextInput.focus() : void this.copyBasket();
    }
    const { reply } = this.results;
    const next = reply?.missedAfter(input);
    if (next && !reply.missed().includes(input.dataset.fill)) next.focus();
    else this.copy();
  }

  // Customer -----------------------------------------------------------------

  /** The state that undo restores: the values, the basket and the words in the box. */
  get snapshot() {
    return { ...this.customer.state, basket: this.basket.items, box: this.finder.words };
  }

  /** Whether there are values or basket items that would be lost. */
  get hasCustomer() {
    return this.customer.isKnown || this.basket.items.length > 0;
  }

  /** When the page opens, the stored values may be of an earlier customer. */
  begin() {
    if (this.customer.isIdle) return this.checkIdle();
    this.customer.touch();
    if (!this.customer.isKnown) return;
    const words = this.box.value.trim();
    if (words && cameFromOutside()) this.follow(words, { pasted: true });
    else this.customer.carryAll();
  }

  /** The box has changed by typing or pasting. */
  typed({ inputType = "" } = {}) {
    const { isReplacing, snapshot } = this;
    const before = this.finder.words;
    const after = this.box.value;
    const isPasted = PASTED.has(inputType);
    this.isReplacing = false;
    this.finder.typing();
    if (!after.trim() || (before === after && !isPasted)) return;
    const isAll = isReplacing || !before.trim();
    if (!isAll && !isPasted && isContinuation(before, after)) return;
    this.follow(after, { pasted: isPasted && isAll, snapshot });
  }

  /** Another message is in the box: the values are carried over, or of another customer. */
  follow(words, { pasted, snapshot = this.snapshot }) {
    const { isNew, dropped } = this.customer.follow(words.trim(), { pasted });
    if (isNew) {
      this.switchCustomer({ snapshot, isLast: false });
    } else if (dropped.length) {
      this.undo.push(`去掉${dropped.join("、")}`, { state: snapshot }, { isLast: false });
      this.note(`没有沿用：${dropped.join("、")}。按 Alt+Z 取回`);
    }
  }

  /** Start with a new customer and keep the words; the values can be restored. */
  switchCustomer({ snapshot = this.snapshot, isLast = true, why = "" } = {}) {
    if (!this.hasCustomer) return;
    this.undo.push("换客户", { state: snapshot }, { isLast });
    this.customer.remember(snapshot);
    this.customer.startNew();
    this.basket.replace([]);
    this.say(`${why}已换成新客户，上一位填的内容已收起。按 Alt+Z 取回`);
  }

  checkIdle() {
    if (!this.customer.isIdle) return;
    this.customer.touch();
    this.switchCustomer({ why: "十分钟没有操作，" });
  }

  /** Return to the previous customer; pressed again, to the one before. */
  previousCustomer() {
    const state = this.customer.previous;
    if (!state) return this.say("没有上一位客户", "warn");
    this.restoreCustomer(state, { isSameMessage: false });
    this.say("已回到上一位客户，填的内容标着“沿用”");
  }

  /** Make `state` current; the replaced state is stored among the earlier customers. */
  restoreCustomer(state, { isSameMessage }) {
    const { snapshot, hasCustomer } = this;
    if (snapshot.token === state.token) {
      this.customer.addMissing(state, { isSameMessage });
      return this.basket.addMissing(state.basket);
    }
    if (hasCustomer) this.customer.past.unshift({ ...snapshot, at: Date.now() });
    this.customer.replace(state, { isSameMessage });
    this.basket.replace(state.basket);
  }

  /** Undo one step; see the calls of `undo.push`. */
  async undoStep({ label, state, favourite }) {
    if (favourite) {
      try {
        await restoreFavourite(favourite);
        this.say("已恢复收藏", "ok");
      } catch {
        this.say("没能恢复收藏，请再试一次", "bad");
      }
      return;
    }
    const wasEmpty = !this.box.value.trim();
    if (wasEmpty && state.box.trim()) {
      this.box.value = state.box;
      this.finder.typing();
      this.customer.words = state.words;
    }
    this.restoreCustomer(state, { isSameMessage: this.finder.words === state.box });
    this.focus();
    this.say(`已撤销${label}`, "ok");
  }

  /** Remove one value. */
  forgetValue(name) {
    this.keepForUndo(`去掉${name}`);
    this.customer.set(name, "");
    this.say(`已去掉${name}，按 Alt+Z 撤销`);
  }

  /** Escape empties the box; pressed twice, it starts with the next customer. */
  escape() {
    if (this.sender.asksCarried || this.basket.asksCarried) {
      this.switchCustomer(); // the answer is: not the same customer
      return this.focus();
    }
    const twice = this.escaped;
    this.escaped = true;
    this.finder.cancel();
    if (twice) return this.nextCustomer();
    const inBox = document.activeElement === this.box;
    this.focus();
    if (inBox) this.clear();
    this.sender.disarm();
    this.say(this.hasCustomer ? "再按一次 Esc 换下一位客户" : "");
  }

  nextCustomer() {
    const { hasCustomer, snapshot } = this;
    if (hasCustomer) {
      // The first Escape cleared the words: one undo step restores everything.
      const cleared = this.undo.steps.at(-1)?.isClearing ? this.undo.pop() : null;
      const state = { ...snapshot, box: snapshot.box || (cleared?.state.box ?? "") };
      this.customer.remember(state);
      this.undo.push("换客户", { state });
    }
    this.customer.startNew();
    this.basket.replace([]);
    this.clear({ canUndo: !hasCustomer });
    this.focus();
    this.say(hasCustomer ? "已清空，请接待下一位客户。按 Alt+Z 撤销" : "");
  }

  /** Empty and focus the box, also on a phone, where focus opens the keyboard. */
  empty() {
    this.clear();
    this.box.focus();
  }

  clear({ canUndo = true } = {}) {
    if (canUndo && this.box.value.trim()) {
      this.undo.push("清空搜索", { state: this.snapshot, isClearing: true });
    }
    this.box.value = "";
    this.finder.typing();
  }

  /** Search for the suggested words: the message is still the same. */
  correctWords(words) {
    this.box.value = words.trim();
    this.customer.words = this.box.value;
    this.finder.typing();
    this.focus();
  }

  drawCustomer() {
    this.sender.disarm();
    this.say("");
    this.note("");
    const { customer } = this;
    byId("customer").hidden = !customer.isKnown;
    byId("other-customer").hidden = !customer.hasCarried;
    byId("previous-customer").hidden = !customer.previous;
    const chips = [...customer.values].map(([name, value]) =>
      makeChip({ name, value, isCarried: customer.isCarried(name) }),
    );
    byId("customer-values").replaceChildren(...chips);
    this.results.reply?.draw();
  }

  /** Show what happened to the values beside the customer; it stays while typing. */
  note(text) {
    byId("customer-note").textContent = text;
  }

  /** A filter was changed: search again, and measure the shown reply again. */
  applyFilters() {
    this.results.reply?.draw();
    this.finder.changed();
    this.focus();
  }

  // Focus, keys and clicks ------------------------------------------------------

  /** Focus the box and select its words, so that the next message replaces them. */
  focus() {
    if (matchMedia("(pointer: coarse)").matches) return; // a phone's keyboard would cover the text
    this.box.focus();
    this.box.select();
  }

  key(event) {
    const [action, argument] = getKeyAction(event);
    if (event.key !== "Escape") this.escaped = false;
    if (!action) return;
    const held = event.repeat && ONCE.has(action);
    if (held || this.act(action, argument, event.target) !== false) event.preventDefault();
  }

  /** Do `action`; return false to let the browser handle the key as well. */
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
      favourite: () => void this.toggleFavourite(),
      link: () => void this.link(),
      "copy-to-own": () =>
        void this.results.reply?.variant.querySelector("[data-copy-to-own]")?.click(),
      undo: () => void this.undo.undo(),
      "undo-last": () => this.undoByControl(target),
      "previous-customer": () => void this.previousCustomer(),
      "basket-add": () => void this.collect(),
      "basket-out": () => void this.basket.remove(),
      "basket-move": () => void this.basket.move(argument),
      "basket-copy": () => void this.copyBasket(),
      box: () => this.focus(),
      type: () => {
        this.box.focus();
        return false; // the browser puts the character there
      },
    };
    return actions[action]();
  }

  /** In a field Ctrl+Z is the browser's undo, unless the last change was one of our steps. */
  undoByControl(target) {
    const isText = ["box", "blank", "field"].includes(getPlace(target));
    if (this.undo.isEmpty || (isText && !this.undo.isLast)) return false;
    return void this.undo.undo();
  }

  /** Show another variant; the focus moves along when it is on the tabs. */
  turn(by, target) {
    if (!this.step(by)) return;
    const { reply } = this.results;
    if (getPlace(target) === "tab") reply.tabs[reply.index].focus();
  }

  click(event) {
    const [target, act] = findClickAction(event.target);
    if (!target) return this.clickBeside(event);
    if (target.matches(".option") && (event.ctrlKey || event.metaKey || event.shiftKey)) return;
    event.preventDefault();
    act(this, target);
  }

  /** A click beside all elements focuses the box, unless it selected text. */
  clickBeside(event) {
    const idle = getPlace(event.target) === "page" && !event.target.closest("label");
    if (idle && getSelection().isCollapsed) this.focus();
  }

  /** Record activity; after a long pause it starts with a new customer first. */
  recordActivity() {
    this.checkIdle();
    this.customer.touch();
  }

  /** The browser restored the page from its cache: fill the fields that it emptied. */
  resume() {
    this.customer.load();
    this.checkIdle();
    this.box.value = this.finder.words;
    this.basket.load();
    this.customer.changed();
    this.finder.refresh();
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
    this.box.addEventListener("beforeinput", (event) => {
      const { selectionStart, selectionEnd, value } = this.box;
      const isAll =
        value.trim() !== "" && value.slice(selectionStart, selectionEnd).trim() === value.trim();
      if (isAll && event.inputType.startsWith("insert")) this.isReplacing = true;
    });
    this.box.addEventListener("input", (event) => event.isComposing || this.typed(event));
    this.box.addEventListener("compositionend", () => this.typed());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.finder.search();
    });
    this.customer.addEventListener("change", () => this.drawCustomer());
    addEventListener("focus", () => document.activeElement === document.body && this.focus());
    document.addEventListener("visibilitychange", () => this.finder.refresh());
    // WebKit empties the fields of a cached page after this event, so they are filled later.
    addEventListener("pageshow", (event) => event.persisted && setTimeout(() => this.resume()));
    for (const kind of ["keydown", "pointerdown", "input"]) {
      document.addEventListener(kind, () => this.recordActivity(), true);
    }
    setInterval(() => this.checkIdle(), IDLE_CHECK_MS);
  }
}

/** Whether another page or program opened this one, as the bookmarklet does. */
function cameFromOutside() {
  const [navigation] = performance.getEntriesByType("navigation");
  if (navigation && navigation.type !== "navigate") return false;
  try {
    const before = new URL(document.referrer);
    return before.origin !== location.origin || before.pathname !== location.pathname;
  } catch {
    return true; // no referrer
  }
}

function byId(id) {
  return document.getElementById(id);
}

const agents = new Console();
agents.listen();
agents.drawCustomer();
agents.begin();
for (const part of ["keys", "clear"]) byId(part).hidden = false;
// The capture page redirects here after it is saved.
if (document.querySelector("[data-saved-draft]")) import("../shared/keep_draft.js");
document.documentElement.classList.add("scripted");
if (document.activeElement === document.body) agents.focus();
if (!location.search && agents.filters.restore()) agents.finder.changed();
