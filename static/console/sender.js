// A reply goes to the clipboard whole, or after a second thought.

import { copy } from "./clipboard.js";

export class Sender {
  /** `say` shows a sentence: (text, kind). */
  constructor(say) {
    this.say = say;
    this.armed = null; // the variant that may be copied with empty blanks
  }

  disarm() {
    this.armed = null;
  }

  /** Copy `reply`; resolves to whether it was, so that the next customer may come. */
  async send(reply) {
    if (!reply) return this.say("没有可复制的话术", "warn");
    const empty = reply.empty();
    if (empty.length && this.armed !== reply.variant) return this.arm(reply, empty);
    this.disarm();
    const done = await copy(reply.text());
    const left = names(empty);
    if (!done) this.say("没能复制，请选中文字后按 Ctrl+C", "bad");
    else if (left) this.say(`已复制，但还空着：${left}`, "warn");
    else this.say(`已复制：${reply.title}`, "ok");
    return done;
  }

  /** The first time with empty blanks: show them, and ask again. */
  arm(reply, empty) {
    this.armed = reply.variant;
    for (const input of empty) input.setAttribute("aria-invalid", "true");
    if (!empty.includes(document.activeElement)) empty[0].focus();
    this.say(`还没填：${names(empty)}。仍要复制，再按一次 Enter`, "warn");
    return false;
  }

  async link(path) {
    const done = await copy(new URL(path, location.href).href);
    this.say(done ? "已复制链接" : "没能复制链接", done ? "ok" : "bad");
    return done;
  }
}

function names(inputs) {
  return inputs.map((input) => input.dataset.fill).join("、");
}
