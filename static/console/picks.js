// Reports what was copied, after which search; the agent does not wait for it.

import { sendInBackground } from "../shared/http.js";

const ENTRIES_PER_PAGE = 20; // as in kb/web/console/entry_list.py
const MAX_DELAY_MS = 86_400_000; // a longer time from search to copy is not reported

export class Picks {
  constructor({ form, finder, results, customer }) {
    Object.assign(this, { form, finder, results, customer });
  }

  /** The reply to be copied and the search before it; null when nothing is shown. */
  get current() {
    const { reply, options, selected, page, total } = this.results;
    if (!reply) return null;
    const words = this.finder.words.trim();
    const at = words ? options.indexOf(selected) : -1;
    return {
      q: words,
      entry: reply.entry,
      reply: reply.variant.dataset.reply ?? "",
      rank: at < 0 ? "" : (Number(page) - 1) * ENTRIES_PER_PAGE + at + 1,
      total: words ? total : "",
    };
  }

  /** Report `picks`, which were copied as one text. */
  report(picks, { kind = "reply", channel = "" } = {}) {
    const { took } = this.finder;
    this.used = this.finder.words.trim(); // this search is not reported as abandoned
    const body = new URLSearchParams({ kind, channel, conversation: this.customer.token });
    if (took !== null && took < MAX_DELAY_MS) body.set("took_ms", String(took));
    for (const pick of picks) {
      for (const [name, value] of Object.entries(pick)) body.append(name, value);
    }
    const { picks: address, token } = this.form.dataset;
    sendInBackground(address, body, token);
  }
}
