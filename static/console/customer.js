// The current customer: the values of blanks, stored in this tab only.
//
// Values belong to one customer. With a new message they are removed or carried over: shown as
// 沿用, and copied only after the agent has confirmed them.

import { containsIdentifyingValue, containsValue, isNeverCarried } from "./carried_values.js";

const PREFIX = "kb-console-customer-";
const IDLE_MS = 600_000; // without activity for so long, the next message is of a new customer
const ACTIVITY_STEP_MS = 5_000; // how often activity is stored
const MAX_PAST = 10; // earlier customers that can be brought back
const PAST_MS = 8 * 3_600_000; // a shift

/** Values by the name of their blank; "change" is dispatched when one changes. */
export class Customer extends EventTarget {
  /** `owner` is the agent's id: agents never see each other's values. */
  constructor(owner) {
    super();
    this.key = PREFIX + owner;
    this.load();
  }

  /** Read the storage again: another page of this tab may have changed it. */
  load() {
    const stored = read(this.key);
    this.values = new Map(pairs(stored.values));
    this.carried = new Set((stored.carried ?? []).filter((name) => this.values.has(name)));
    this.words = stored.words ?? ""; // the message that the values belong to
    this.past = (stored.past ?? []).filter(({ at }) => Date.now() - at < PAST_MS);
    this.activeAt = stored.activeAt ?? Date.now();
    this.token = stored.token ?? newToken();
  }

  get(name) {
    return this.values.get(name) ?? "";
  }

  set(name, value) {
    this.carried.delete(name);
    if (value === "") this.values.delete(name);
    else this.values.set(name, value);
    this.changed();
  }

  get isKnown() {
    return this.values.size > 0;
  }

  // Carried values ---------------------------------------------------------------

  isCarried(name) {
    return this.carried.has(name);
  }

  get hasCarried() {
    return this.carried.size > 0;
  }

  /** The agent has confirmed that the values `names` belong to this customer. */
  confirm(names) {
    for (const name of names) this.carried.delete(name);
    this.changed();
  }

  /** Mark all values as carried over: they need a confirmation. */
  carryAll() {
    this.carried = new Set(this.values.keys());
    this.changed();
  }

  /**
   * Another message is in the box. Return {isNew, dropped}: whether it is of another customer,
   * else the names of values that were removed because they are never carried over.
   */
  follow(words, { pasted }) {
    this.words = words;
    if (!this.isKnown) return { isNew: false, dropped: [] };
    if (pasted && !containsIdentifyingValue(words, this.values))
      return { isNew: true, dropped: [] };
    const others = [...this.values].filter(([, value]) => !containsValue(words, value));
    const names = others.map(([name]) => name);
    const dropped = names.filter(isNeverCarried);
    for (const name of dropped) this.values.delete(name);
    this.carried = new Set(names.filter((name) => this.values.has(name)));
    this.changed();
    return { isNew: false, dropped };
  }

  // One customer after another -----------------------------------------------------

  /** The state that `replace` accepts. */
  get state() {
    const { values, carried, token, words } = this;
    return { values: [...values], carried: [...carried], token, words };
  }

  /** Start with a new customer: no values, and a new token that groups their copies. */
  startNew() {
    this.values.clear();
    this.carried.clear();
    this.token = newToken();
    this.changed();
  }

  /** Add the values of `state`, of the same customer, that are missing now. */
  addMissing(state, { isSameMessage }) {
    for (const [name, value] of state.values) {
      if (this.values.has(name)) continue;
      this.values.set(name, value);
      if (!isSameMessage || state.carried.includes(name)) this.carried.add(name);
    }
    this.changed();
  }

  /** Make `state` the current customer again. */
  replace(state, { isSameMessage }) {
    this.past = this.past.filter(({ token }) => token !== state.token);
    this.values = new Map(state.values);
    this.carried = new Set(isSameMessage ? state.carried : this.values.keys());
    this.token = state.token;
    this.changed();
  }

  /** Store `state` among the earlier customers. */
  remember(state) {
    const others = this.past.filter(({ token }) => token !== state.token);
    this.past = [...others, { ...state, at: Date.now() }].slice(-MAX_PAST);
    this.changed();
  }

  /** The state of the customer before this one, or null. */
  get previous() {
    return this.past.at(-1) ?? null;
  }

  // Time ---------------------------------------------------------------------------

  /** Whether there was no activity for so long that the next customer is likely. */
  get isIdle() {
    return Date.now() - this.activeAt >= IDLE_MS;
  }

  touch() {
    const now = Date.now();
    const isDue = now - this.activeAt >= ACTIVITY_STEP_MS || now < this.activeAt;
    if (!isDue) return;
    this.activeAt = now;
    this.store();
  }

  changed() {
    this.store();
    this.dispatchEvent(new Event("change"));
  }

  store() {
    const { state, past, activeAt } = this;
    try {
      sessionStorage.setItem(this.key, JSON.stringify({ ...state, past, activeAt }));
    } catch {
      // Storage is full or forbidden: the values last as long as the page.
    }
  }
}

function newToken() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function read(key) {
  try {
    const stored = JSON.parse(sessionStorage.getItem(key) ?? "{}");
    return Array.isArray(stored) ? { values: stored } : (stored ?? {});
  } catch {
    return {};
  }
}

function pairs(values) {
  const list = Array.isArray(values) ? values : [];
  return list.filter(([name, value]) => name && typeof value === "string");
}
