// Decides whether a reply can be copied at once or needs a confirmation.

import { strip } from "./blanks.js";
import { copy } from "./clipboard.js";

/** The question before carried values are copied: their names and values. */
export function describeCarried(names, customer) {
  return `沿用：${names.map((name) => `${name} ${strip(customer.get(name))}`).join("、")}`;
}

export class Sender {
  /** `say` shows a sentence: (text, kind). */
  constructor(say) {
    this.say = say;
    this.armed = null; // the variant that a second key press copies
    this.asksCarried = false;
  }

  disarm() {
    this.armed = null;
    this.asksCarried = false; // the question is whether it is still the same customer
  }

  /** The text of `reply` to copy, or null when it is refused or has to be confirmed first. */
  prepare(reply) {
    if (!reply) return this.refuse("没有可复制的话术", "warn");
    if (reply.unsendableReason) return this.refuse(reply.unsendableReason, "bad");
    const [missed, carried] = [reply.missed(), reply.carried()];
    const isDoubtful = missed.length > 0 || carried.length > 0 || reply.fault !== "";
    if (isDoubtful && this.armed !== reply.variant) return this.arm(reply, { missed, carried });
    this.disarm();
    return reply.text();
  }

  refuse(why, kind) {
    this.say(why, kind);
    return null;
  }

  /** Report that `reply` was copied, and which blanks are still empty. */
  sent(reply) {
    const missed = reply.missed();
    reply.customer.confirm(reply.carried());
    if (missed.length) this.say(`已复制，但还空着：${missed.join("、")}`, "warn");
    else this.say(`已复制：${reply.title}`, "ok");
  }

  /** Show what is doubtful and wait for a second key press. */
  arm(reply, { missed, carried }) {
    this.armed = reply.variant;
    this.asksCarried = carried.length > 0;
    const inputs = missed.map((name) => reply.field(name)).filter(Boolean);
    for (const input of inputs) input.setAttribute("aria-invalid", "true");
    if (inputs.length && !inputs.includes(document.activeElement)) inputs[0].focus();
    const reasons = [];
    if (missed.length) reasons.push(`还没填：${missed.join("、")}`);
    else if (reply.fault) reasons.push(`写法有误：${reply.fault.replace(/。$/, "")}`);
    if (carried.length) reasons.push(describeCarried(carried, reply.customer));
    const again = this.asksCarried
      ? "是同一位客户，再按一次 Enter；不是，按 Esc"
      : "仍要复制，再按一次 Enter";
    this.say(`${reasons.join("；")}。${again}`, "warn");
    return null;
  }

  async link(path) {
    const done = await copy(new URL(path, location.href).href);
    this.say(done ? "已复制链接" : "没能复制链接", done ? "ok" : "bad");
    return done;
  }
}
