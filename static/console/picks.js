// The server learns which reply answered which words; nobody waits for it.

const PAGE = 20; // entries of the list at a time, as the server cuts it

export class Picks {
  constructor({ form, finder, results }) {
    Object.assign(this, { form, finder, results });
  }

  /** What is about to be copied, after which words; null when nothing was searched. */
  get current() {
    const { reply, options, selected, page, total } = this.results;
    const words = this.finder.words.trim();
    if (!reply || !selected || !words) return null;
    return {
      q: words,
      entry: reply.entry,
      reply: reply.variant.dataset.reply ?? "",
      rank: (Number(page) - 1) * PAGE + options.indexOf(selected) + 1,
      total,
    };
  }

  /** Tell of `pick`; it arrives though the page may be left, or it does not. */
  tell(pick) {
    if (!pick) return;
    const { picks, token } = this.form.dataset;
    const request = {
      method: "POST",
      body: new URLSearchParams(pick),
      headers: { "X-CSRFToken": token },
      credentials: "same-origin",
      keepalive: true,
    };
    fetch(picks, request).catch(() => {});
  }
}
