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
    if (reply.barred) return this.say(reply.barred, "bad");
    const missed = reply.missed();
    const doubtful = missed.length > 0 || reply.fault !== "";
    if (doubtful && this.armed !== reply.variant) return this.arm(reply, missed);
    this.disarm();
    const done = await copy(reply.text());
    if (!done) this.say("没能复制，请选中文字后按 Ctrl+C", "bad");
    else if (missed.length) this.say(`已复制，但还空着：${missed.join("、")}`, "warn");
    else this.say(`已复制：${reply.title}`, "ok");
    return done;
  }

  /** The first time with something missing: show it, and ask again. */
  arm(reply, missed) {
    this.armed = reply.variant;
    const inputs = missed.map((name) => reply.field(name)).filter(Boolean);
    for (const input of inputs) input.setAttribute("aria-invalid", "true");
    if (inputs.length && !inputs.includes(document.activeElement)) inputs[0].focus();
    const why = missed.length ? `还没填：${missed.join("、")}` : `写法有误：${reply.fault.replace(/。$/, "")}`;
    this.say(`${why}。仍要复制，再按一次 Enter`, "warn");
    return false;
  }

  async link(path) {
    const done = await copy(new URL(path, location.href).href);
    this.say(done ? "已复制链接" : "没能复制链接", done ? "ok" : "bad");
    return done;
  }
}
