// Reports searches after which the agent copied nothing, when they go on to another one.

import { sendInBackground } from "../shared/http.js";

const MIN_VIEW_MS = 2000; // the agent has looked at results that were shown for so long

export class AbandonedSearches {
  constructor({ form, finder, results, picks }) {
    Object.assign(this, { form, finder, results, picks });
    finder.onLeave = (words, next, took) => this.leave(words, next, took);
    window.addEventListener("pagehide", () => this.leave(finder.words, "", finder.took));
  }

  /** `words` are replaced by `next`; typing on or deleting characters is the same search. */
  leave(words, next, took) {
    const [before, after] = [words.trim(), next.trim()];
    const isContinued = after && (after.startsWith(before) || before.startsWith(after));
    if (!before || isContinued || took === null || took < MIN_VIEW_MS || this.finder.due) return;
    if (before === this.picks.used || before === this.lastReported) return;
    this.lastReported = before;
    this.report(before);
  }

  report(words) {
    const { misses, token } = this.form.dataset;
    const body = new URLSearchParams({ q: words, total: String(this.results.total || 0) });
    sendInBackground(misses, body, token);
  }
}
