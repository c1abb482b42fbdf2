// The server learns what was copied, and which reply answered which words; nobody waits.

import { sendInBackground } from "../shared/http.js";

const PAGE = 20; // entries of the list at a time, as the server cuts it
const LONGEST = 86_400_000; // ms: what took longer was left lying

export class Picks {
  constructor({ form, finder, results, customer }) {
    Object.assign(this, { form, finder, results, customer });
  }

  /** What is about to be copied, after which words; null when nothing is shown. */
  get current() {
    const { reply, options, selected, page, total } = this.results;
    if (!reply) return null;
    const words = this.finder.words.trim();
    const at = words ? options.indexOf(selected) : -1;
    return {
      q: words,
      entry: reply.entry,
      reply: reply.variant.dataset.reply ?? "",
      rank: at < 0 ? "" : (Number(page) - 1) * PAGE + at + 1,
      total: words ? total : "",
    };
  }

  /** Tell of `picks`, copied as one text; it arrives though the page may be left. */
  tell(picks, { kind = "reply", channel = "" } = {}) {
    const { took } = this.finder;
    this.used = this.finder.words.trim(); // of what he searched for, something helped
    const body = new URLSearchParams({ kind, channel, conversation: this.customer.token });
    if (took !== null && took < LONGEST) body.set("took_ms", String(took));
    for (const pick of picks) {
      for (const [name, value] of Object.entries(pick)) body.append(name, value);
    }
    const { picks: address, token } = this.form.dataset;
    sendInBackground(address, body, token);
  }
}
