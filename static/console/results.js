// The list of results and the preview of the selected one.

import { fetchFragment } from "./fragments.js";
import { Reply, source } from "./reply.js";

const PREFETCH_DELAY_MS = 150; // on one entry before its neighbours are fetched

export class Results {
  constructor({ panes, box, channel, customer, form }) {
    Object.assign(this, { panes, box, channel, customer, address: form.action });
    this.ready = Promise.resolve(); // the selected entry's preview is shown
    this.adopt();
  }

  get options() {
    return [...this.panes.querySelectorAll('[role="option"]')];
  }

  get selected() {
    return this.panes.querySelector('[role="option"][aria-selected="true"]');
  }

  get page() {
    return this.panes.querySelector("#results").dataset.page;
  }

  get total() {
    return this.panes.querySelector("#results").dataset.total;
  }

  get summary() {
    return this.panes.querySelector(".count").textContent.trim();
  }

  /** The entry for the address; "" for the first one, which is selected by default. */
  get entry() {
    const first = this.options[0]?.dataset.entry;
    return this.reply?.entry === first ? "" : (this.reply?.entry ?? "");
  }

  /** Show a new list; an unchanged preview stays, with what is being typed in it. */
  paint(fragment) {
    const drawn = fragment.querySelector(".preview");
    const same = drawn !== null && this.reply?.source === source(drawn);
    for (const part of same ? [".results-pane"] : [".results-pane", ".preview-pane"]) {
      this.panes.querySelector(part).replaceWith(fragment.querySelector(part));
    }
    this.adopt(same ? this.reply : null);
  }

  /** Use the elements that the server rendered, and `reply` when its preview stays. */
  adopt(reply = null) {
    const drawn = this.panes.querySelector(".preview");
    this.reply = reply ?? (drawn && new Reply(drawn, this));
    this.previews = new Map(); // promises of Reply, by entry
    if (this.reply) this.previews.set(this.reply.entry, Promise.resolve(this.reply));
    this.ready = Promise.resolve();
    for (const option of this.options) option.tabIndex = -1;
    this.point();
  }

  move(by) {
    const options = this.options;
    const at = options.indexOf(this.selected) + by;
    const option = options[Math.max(0, Math.min(at, options.length - 1))];
    if (option && option !== this.selected) this.select(option);
  }

  /** Select `option`; `ready` rejects when its preview cannot be loaded. */
  select(option) {
    this.selected?.setAttribute("aria-selected", "false");
    option.setAttribute("aria-selected", "true");
    this.point();
    this.ready = this.show(option);
  }

  async show(option) {
    this.reply = null; // nothing can be copied until the preview is loaded
    const reply = await this.preview(option.dataset.entry);
    if (this.selected !== option) return;
    this.reply = reply;
    const pane = this.panes.querySelector("#preview");
    pane.replaceChildren(reply.element);
    pane.scrollTop = 0;
    reply.draw();
  }

  /** Set the active option of the box, and scroll it into view. */
  point() {
    const { selected } = this;
    if (selected) this.box.setAttribute("aria-activedescendant", selected.id);
    else this.box.removeAttribute("aria-activedescendant");
    selected?.scrollIntoView({ block: "nearest" });
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.prefetch(), PREFETCH_DELAY_MS);
  }

  prefetch() {
    const options = this.options;
    const at = options.indexOf(this.selected);
    for (const near of [options[at + 1], options[at - 1]]) {
      if (near) this.preview(near.dataset.entry).catch(() => {});
    }
  }

  preview(entry) {
    if (!this.previews.has(entry)) this.previews.set(entry, this.load(entry));
    return this.previews.get(entry);
  }

  async load(entry) {
    const { previews } = this;
    try {
      const { value } = this.channel; // which variants there are
      const kind = document.getElementById("segment").value;
      const address = `${this.address}?fragment=preview&entry=${entry}&channel=${value}&segment=${kind}`;
      const fragment = await fetchFragment(address);
      return new Reply(fragment.querySelector(".preview"), this);
    } catch (error) {
      previews.delete(entry);
      throw error;
    }
  }
}
