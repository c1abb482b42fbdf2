// From what is typed to results that answer it, and to an address that says so.

import { NetworkError } from "../shared/http.js";
import { Latest } from "./fragments.js";

const PAUSE = 20; // ms without a key before a search
const OLD = 60_000; // ms: results that were out of sight for so long are fetched anew
const URL_PAUSE = 300; // ms: browsers refuse a hundred changes of the address in 30 s

export class Finder {
  constructor({ form, box, filters, panes, results, sender, say }) {
    Object.assign(this, { form, box, filters, panes, results, sender, say });
    this.latest = new Latest();
    this.words = box.value;
    this.found = Promise.resolve(); // the search under way is over
    this.due = false; // a search must come before the list may be used
    this.typed = 0; // changes of what is asked for
    this.asked = performance.now(); // when the words last changed
    this.painted();
  }

  /** The box may have changed; while an input method composes, nobody calls. */
  typing() {
    if (this.box.value === this.words) return;
    this.left?.(this.words, this.box.value, this.took);
    this.words = this.box.value;
    this.asked = performance.now();
    this.changed();
  }

  changed() {
    this.typed += 1;
    this.due = true;
    this.say("");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.search(), PAUSE);
  }

  /** Whole milliseconds since the words were typed or pasted; null without words. */
  get took() {
    return this.words.trim() ? Math.round(performance.now() - this.asked) : null;
  }

  /** Call off whatever waits for the results. */
  cancel() {
    this.typed += 1;
  }

  search({ page = "", entry = "" } = {}) {
    clearTimeout(this.timer);
    this.due = false;
    this.sender.disarm();
    this.found = this.find(this.query({ page, entry, fragment: "results" }));
  }

  async find(query) {
    this.panes.setAttribute("aria-busy", "true");
    try {
      this.results.paint(await this.latest.get(`${this.form.action}?${query}`));
      this.painted();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.due = true;
      this.fail(error);
    }
    this.panes.removeAttribute("aria-busy");
  }

  painted() {
    this.at = Date.now();
    document.getElementById("counted").textContent = this.results.summary;
    this.remember();
  }

  fail(error) {
    if (error.status === 401) this.say("还没有登录，结果没有更新", "bad");
    else if (error.status >= 400) this.say("服务器没有答上来，请再试一次", "bad");
    else if (error instanceof NetworkError) this.say("网络不通，结果没有更新", "bad");
    else if (!error.status) throw error; // a mistake of ours
  }

  /** Resolve once the list answers what was typed: to true, or to false when typing went on. */
  async answered() {
    const { typed } = this;
    if (this.due) this.search();
    let search = null;
    while (search !== this.found) {
      search = this.found;
      await search; // typing on starts another one meanwhile
    }
    return typed === this.typed && !this.due;
  }

  /** Do `action` once the list answers what was typed; typing on calls it off. */
  async settled(action) {
    if (await this.answered()) await action();
  }

  /** Fetch again what may have changed while nobody looked. */
  refresh() {
    const busy = this.sender.armed || this.panes.contains(document.activeElement);
    if (document.hidden || busy || this.due || Date.now() - this.at < OLD) return;
    const { page, reply } = this.results;
    this.search({ page, entry: reply?.entry ?? "" });
  }

  query(more) {
    const asked = Object.entries({ q: this.box.value.trim(), ...more });
    return new URLSearchParams([...asked.filter(([, value]) => value), ...this.filters.given]);
  }

  /** Let the address say what is shown, so that it can be reloaded and shared. */
  remember() {
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      const { entry, page } = this.results;
      const query = this.query({ page: page === "1" ? "" : page, entry });
      history.replaceState(null, "", String(query) ? `?${query}` : location.pathname);
    }, URL_PAUSE);
  }
}
