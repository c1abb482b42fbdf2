// After a copy: what customers ask next, reached by Alt+↓.

import { isComposing } from "../shared/composing.js";
import { fetchFragment } from "./fragments.js";

export class NextQuestions {
  constructor({ form, panes, box, results, finder, say }) {
    Object.assign(this, { form, panes, box, results, finder, say });
    document.addEventListener("keydown", (event) => this.key(event), true);
    panes.addEventListener("click", (event) => this.click(event));
  }

  get links() {
    return [...this.panes.querySelectorAll("[data-next]")];
  }

  /** Show what customers ask after `entry`, unless the agent has gone on meanwhile. */
  async after(entry) {
    if (!entry) return;
    const query = new URLSearchParams({ entry, q: this.finder.words.trim() });
    const fragment = await fetchFragment(`${this.form.action}next/?${query}`).catch(() => null);
    const preview = this.panes.querySelector(`.preview[data-entry="${entry}"]`);
    if (!preview) return;
    preview.querySelector(".next")?.remove();
    const section = fragment?.querySelector(".next");
    if (section) (preview.querySelector(".send") ?? preview.lastElementChild).after(section);
  }

  key(event) {
    if (isComposing(event) || event.ctrlKey || event.metaKey) return;
    const { links } = this;
    const at = links.indexOf(event.target);
    if (event.altKey) {
      const isRequested = event.key === "ArrowDown" && !event.target.matches?.("select");
      if (isRequested && links.length) this.take(event, () => links[0].focus());
    } else if (at >= 0) {
      this.keyOnLink(event, links, at);
    }
  }

  /** A key on one of the links, before the console handles it. */
  keyOnLink(event, links, at) {
    const number = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : -1;
    if (links[number]) this.take(event, () => this.go(links[number]));
    else if (event.key === "Enter") this.take(event, () => this.go(links[at]));
    else if (event.key === "ArrowDown") this.take(event, () => links[at + 1]?.focus());
    else if (event.key === "ArrowUp") this.take(event, () => (links[at - 1] ?? this.box).focus());
    else if (event.key === "Escape") this.take(event, () => this.box.focus());
  }

  take(event, action) {
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat || event.key.startsWith("Arrow")) action();
  }

  click(event) {
    const link = event.target.closest("[data-next]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.go(link);
  }

  /** Open it beside the same list; Enter copies it. */
  go(link) {
    this.finder.search({ entry: link.dataset.next });
    this.say("");
    this.box.focus();
    this.box.select();
  }
}
