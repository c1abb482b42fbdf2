// What the agent filled in for the customer of the moment: kept in this tab only.

const PREFIX = "kb-console-customer-";

/** Values by the name of their blank; "change" is dispatched when one changes. */
export class Customer extends EventTarget {
  /** `owner` is the agent's id: nobody meets the values of another agent. */
  constructor(owner) {
    super();
    this.key = PREFIX + owner;
    this.values = new Map(stored(this.key));
    this.token = storedToken(this.key) ?? this.renew();
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
    this.renew();
    this.changed();
  }

  /** A new customer gets a new token, by which copies are told to belong together. */
  renew() {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    this.token = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    keep(`${this.key}-token`, this.token);
    return this.token;
  }

  get isKnown() {
    return this.values.size > 0;
  }

  changed() {
    keep(this.key, JSON.stringify([...this.values]));
    this.dispatchEvent(new Event("change"));
  }
}

function keep(key, text) {
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // Storage is full or forbidden: what it holds lasts as long as the page.
  }
}

function storedToken(key) {
  try {
    return sessionStorage.getItem(`${key}-token`);
  } catch {
    return null;
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
