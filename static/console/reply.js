// A preview: its variants as tabs, its blanks filled as kb/text/blanks.py fills them.

// What Python's str.strip removes, which is not quite what trim removes.
const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const EDGES = new RegExp(`^${SPACE}+|${SPACE}+$`, "gu");

/** What is put in place of a blank; empty when the blank stays. */
export function strip(value) {
  return value.replace(EDGES, "");
}

/** What the server drew in `element`, but for how long ago that was changed. */
export function source(element) {
  return element.outerHTML.replace(/<time[^]*?<\/time>/, "");
}

/** The replies of one entry, as the server drew them in `element`. */
export class Reply {
  constructor(element, customer) {
    this.element = element;
    this.customer = customer;
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
  }

  listen(input) {
    input.closest(".fills").hidden = false;
    input.addEventListener("input", () => {
      this.customer.set(input.dataset.fill, input.value);
    });
  }

  show(index) {
    this.index = index;
    this.variants.forEach((variant, at) => (variant.hidden = at !== index));
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
      if (input.value !== value) input.value = value;
      if (strip(value)) input.removeAttribute("aria-invalid");
    }
    for (const blank of this.element.querySelectorAll(".blank")) {
      const value = strip(this.customer.get(blank.dataset.blank));
      blank.textContent = value || `〔${blank.dataset.blank}〕`;
      blank.classList.toggle("filled", value !== "");
    }
    const length = this.element.querySelector("[data-length]");
    length.textContent = `${[...this.text()].length} 字`;
  }

  /** The text to send: in one pass, a value is never looked at again. */
  text() {
    const pieces = [...this.variant.querySelector(".reply").childNodes];
    return pieces.map((piece) => this.piece(piece)).join("");
  }

  piece(node) {
    if (!(node instanceof Element)) return node.textContent;
    return strip(this.customer.get(node.dataset.blank)) || node.dataset.raw;
  }

  inputs(within = this.variant) {
    return [...within.querySelectorAll("[data-fill]")];
  }

  empty() {
    return this.inputs().filter((input) => !strip(input.value));
  }

  /** The next empty field after `input`, from the top again at the end. */
  emptyAfter(input) {
    const inputs = this.inputs();
    const at = inputs.indexOf(input);
    const others = [...inputs.slice(at + 1), ...inputs.slice(0, at)];
    return others.find((other) => !strip(other.value));
  }
}
