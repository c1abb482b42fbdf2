// A preview: its variants as tabs, its blanks filled with the customer's values.

import {
  carriedNames,
  fill,
  formatValue,
  missed,
  pieces,
  read,
  renderValue,
  resolveValue,
  strip,
} from "./blanks.js";
import { adaptToChannel, measureMessage } from "./channels.js";
import { addCopyButtons } from "./pictures.js";

/** The HTML of `element` without times and tokens, to compare two renderings. */
export function source(element) {
  return element.outerHTML.replace(/<time[\s\S]*?<\/time>|<input type="hidden"[^>]*>/g, "");
}

/** Mark a field whose value is carried over from an earlier message, or unmark it. */
export function markCarried(input, isCarried) {
  const label = input.closest("label");
  label.classList.toggle("carried", isCarried);
  const mark = label.querySelector(".carried-mark");
  if (!isCarried) return mark?.remove();
  if (mark) return;
  const badge = document.createElement("b");
  Object.assign(badge, { className: "carried-mark badge warn", textContent: "沿用" });
  input.before(badge);
}

/** The variants of one entry, as the server rendered them in `element`. */
export class Reply {
  constructor(element, { customer, channel }) {
    Object.assign(this, { element, customer, chosen: channel });
    this.source = source(element);
    this.variants = [...element.querySelectorAll(".variant")];
    this.tabs = [...element.querySelectorAll('[role="tab"]')];
    this.index = 0;
    this.enhance();
    this.show(0);
  }

  get entry() {
    return this.element.dataset.entry;
  }

  get title() {
    return `${this.element.dataset.question} · ${this.variant.dataset.label}`;
  }

  get variant() {
    return this.variants[this.index];
  }

  /** Turn the plain page into tabs and fields. */
  enhance() {
    const one = this.variants.length < 2;
    this.element.classList.add("ready");
    this.element.classList.toggle("single", one);
    this.element.querySelector('[role="tablist"]').hidden = one;
    for (const part of this.element.querySelectorAll(".send, .link")) part.hidden = false;
    this.tabs.forEach((tab, index) => {
      tab.addEventListener("click", () => this.show(index));
      const panel = this.variants[index];
      if (one) return;
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", tab.id);
    });
    for (const input of this.inputs(this.element)) this.listen(input);
    addCopyButtons(this.element);
  }

  listen(input) {
    input.closest(".fills").hidden = false;
    input.addEventListener("input", () => {
      this.customer.set(input.dataset.fill, input.value);
    });
  }

  show(index) {
    this.index = index;
    this.variants.forEach((variant, at) => {
      variant.hidden = at !== index;
    });
    this.tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === index));
      tab.tabIndex = at === index ? 0 : -1;
    });
    this.draw();
  }

  /** Show the variant `by` places on; false when there is none. */
  step(by) {
    if (!this.variants[this.index + by]) return false;
    this.show(this.index + by);
    this.tabs[this.index].scrollIntoView({ block: "nearest", inline: "nearest" });
    return true;
  }

  /** Show the customer's values in the text and in the fields. */
  draw() {
    for (const input of this.inputs(this.element)) {
      const value = this.customer.get(input.dataset.fill);
      if (input.value !== value) input.value = value; // a date field accepts dates only
      if (strip(value)) input.removeAttribute("aria-invalid");
      markCarried(input, this.customer.isCarried(input.dataset.fill));
    }
    for (const element of this.element.querySelectorAll(".blank")) {
      const blank = read(element);
      const value = this.customer.get(blank.name);
      element.classList.toggle(
        "carried",
        this.customer.isCarried(blank.name) && formatValue(blank, value) !== "",
      );
      element.textContent = renderValue(blank, value);
      element.classList.toggle("filled", resolveValue(blank, value) !== "" || blank.optional);
    }
    const { text, over } = measureMessage(this.text(), this.channel);
    const length = this.element.querySelector("[data-length]");
    length.textContent = text;
    length.classList.toggle("over", over);
  }

  /** The syntax error of a blank in the variant, or "". */
  get fault() {
    return this.variant.dataset.fault;
  }

  /** Why it must not be sent now, or "". */
  get unsendableReason() {
    return this.variant.dataset.unsendable;
  }

  /** The channel of the variant, or the chosen one. */
  get channel() {
    return this.variant.dataset.channel || this.chosen.value;
  }

  get drawn() {
    return adaptToChannel(pieces(this.variant.querySelector(".reply")), this.channel);
  }

  /** The text to send. */
  text() {
    return fill(this.drawn, (name) => this.customer.get(name));
  }

  inputs(within = this.variant) {
    return [...within.querySelectorAll("[data-fill]")];
  }

  /** The names of required blanks without a value. */
  missed() {
    return missed(this.drawn, (name) => this.customer.get(name));
  }

  /** The names of blanks whose value is carried over from an earlier message. */
  carried() {
    return carriedNames(this.drawn, this.customer);
  }

  field(name) {
    return this.inputs().find((input) => input.dataset.fill === name);
  }

  /** The next field after `input` that must be filled, from the top again at the end. */
  missedAfter(input) {
    const names = this.missed();
    const inputs = this.inputs();
    const at = inputs.indexOf(input);
    const others = [...inputs.slice(at + 1), ...inputs.slice(0, at)];
    return others.find((other) => names.includes(other.dataset.fill));
  }
}
