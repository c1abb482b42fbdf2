// What the agent filled in for the customer of the moment: kept in this tab only.

const PREFIX = "kb-console-customer-";

/** Values by the name of their blank; "change" is dispatched when one changes. */
export class Customer extends EventTarget {
  /** `owner` is the agent's id: nobody meets the values of another agent. */
  constructor(owner) {
    super();
    this.key = PREFIX + owner;
    this.values = new Map(stored(this.key));
  }

  get(name) {
    return this.values.get(name) ?? "";
  }

  set(name, value) {
    if (value === "") this.values.delete(name);
    else this.values.set(name, value);
    this.changed();
  }

  clear() {
    this.values.clear();
    this.changed();
  }

  get isKnown() {
    return this.values.size > 0;
  }

  changed() {
    try {
      sessionStorage.setItem(this.key, JSON.stringify([...this.values]));
    } catch {
      // Storage is full or forbidden: the values last as long as the page.
    }
    this.dispatchEvent(new Event("change"));
  }
}

function stored(key) {
  try {
    const pairs = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    return pairs.filter(([name, value]) => name && typeof value === "string");
  } catch {
    return [];
  }
}
