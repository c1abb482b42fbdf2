// Searches while the agent types, and keeps the address in step with what is shown.

import { NetworkError } from "../shared/http.js";
import { LatestFragment } from "./fragments.js";

const PAUSE_MS = 20; // without a key before a search
const MAX_AGE_MS = 60_000; // older results are fetched again when the page is shown
const URL_PAUSE_MS = 300; // browsers refuse a hundred changes of the address in 30 s

export class Finder {
  constructor({ form, box, filters, panes, results, sender, say }) {
    Object.assign(this, { form, box, filters, panes, results, sender, say });
    this.latest = new LatestFragment();
    this.words = box.value;
    this.pendingSearch = Promise.resolve(); // resolves when the current search is over
    this.due = false; // the list does not belong to the words: a search must come first
    this.changeCount = 0; // of the words and the filters
    this.changedAt = performance.now(); // of the words
    this.painted();
  }

  /** The box may have changed. Not called while an input method composes. */
  typing() {
    if (this.box.value === this.words) return;
    this.onLeave?.(this.words, this.box.value, this.took);
    this.words = this.box.value;
    this.changedAt = performance.now();
    this.changed();
  }

  changed() {
    this.changeCount += 1;
    this.due = true;
    this.say("");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.search(), PAUSE_MS);
  }

  /** Milliseconds since the words were typed or pasted; null without words. */
  get took() {
    return this.words.trim() ? Math.round(performance.now() - this.changedAt) : null;
  }

  /** Cancel the actions that wait for the results. */
  cancel() {
    this.changeCount += 1;
  }

  search({ page = "", entry = "" } = {}) {
    clearTimeout(this.timer);
    this.due = false;
    this.sender.disarm();
    this.pendingSearch = this.find(this.query({ page, entry, fragment: "results" }));
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
    document.getElementById("result-count").textContent = this.results.summary;
    this.remember();
  }

  fail(error) {
    if (error.status === 401) this.say("还没有登录，结果没有更新", "bad");
    else if (error.status >= 400) this.say("服务器没有答上来，请再试一次", "bad");
    else if (error instanceof NetworkError) this.say("网络不通，结果没有更新", "bad");
    else if (!error.status) throw error; // a bug
  }

  /** Resolve once the list belongs to the words: to true, or to false when typing went on. */
  async answered() {
    const { changeCount } = this;
    if (this.due) this.search();
    let search = null;
    while (search !== this.pendingSearch) {
      search = this.pendingSearch;
      await search; // typing on starts another one meanwhile
    }
    return changeCount === this.changeCount && !this.due;
  }

  /** Do `action` once the list belongs to the words, unless typing went on. */
  async settled(action) {
    if (await this.answered()) await action();
  }

  /** Fetch the results again after the page was hidden for a while. */
  refresh() {
    const busy = this.sender.armed || this.panes.contains(document.activeElement);
    if (document.hidden || busy || this.due || Date.now() - this.at < MAX_AGE_MS) return;
    const { page, reply } = this.results;
    this.search({ page, entry: reply?.entry ?? "" });
  }

  query(more) {
    const parameters = Object.entries({ q: this.box.value.trim(), ...more });
    return new URLSearchParams([
      ...parameters.filter(([, value]) => value),
      ...this.filters.changed,
    ]);
  }

  /** Put what is shown into the address, so that it can be reloaded and shared. */
  remember() {
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      const { entry, page } = this.results;
      const query = this.query({ page: page === "1" ? "" : page, entry });
      history.replaceState(null, "", String(query) ? `?${query}` : location.pathname);
    }, URL_PAUSE_MS);
  }
}
