// What an agent searched for and copied nothing of, told when he goes on to something else.

import { sendInBackground } from "../shared/http.js";

const SEEN = 2000; // ms that results stood before him: then he has looked

export class Misses {
  constructor({ form, finder, results, picks }) {
    Object.assign(this, { form, finder, results, picks });
    finder.left = (words, next, took) => this.left(words, next, took);
    window.addEventListener("pagehide", () => this.left(finder.words, "", finder.took));
  }

  /** `words` make room for `next`; to type on, or to take letters back, is no leaving. */
  left(words, next, took) {
    const [before, after] = [words.trim(), next.trim()];
    const goesOn = after && (after.startsWith(before) || before.startsWith(after));
    if (!before || goesOn || took === null || took < SEEN || this.finder.due) return;
    if (before === this.picks.used || before === this.told) return;
    this.told = before;
    this.tell(before);
  }

  tell(words) {
    const { misses, token } = this.form.dataset;
    const body = new URLSearchParams({ q: words, total: String(this.results.total || 0) });
    sendInBackground(misses, body, token);
  }
}
