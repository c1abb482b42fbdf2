// What lies in the basket, in which order, and what of it was lost with a reload: nothing.

export const MAX_ITEMS = 20; // as many as the server takes
const MAX_AGE_MS = 3_600_000; // what lay there for longer may be outdated

/**
 * The items of a basket: {drawn, title, pick, since}, kept in `storage` under `key`.
 *
 * `drawn` holds the pieces of a reply; see blanks.js. `at` is the place of the current item, the
 * one that is moved and taken out; -1 when the basket is empty.
 */
export class BasketItems {
  constructor(storage, key, now = Date.now) {
    Object.assign(this, { storage, key, now });
    this.load();
  }

  get length() {
    return this.items.length;
  }

  get isFull() {
    return this.items.length >= MAX_ITEMS;
  }

  /** Put an item behind the others; it becomes the current one. */
  add(item) {
    this.replace([...this.items, { ...item, since: this.now() }]);
  }

  /** Move the item at `at` by so many places. Whether it could be; it is the current one then. */
  move(by, at = this.at) {
    const to = at + by;
    if (!this.items[at] || !this.items[to]) return false;
    const items = [...this.items];
    [items[at], items[to]] = [items[to], items[at]];
    this.replace(items, to);
    return true;
  }

  remove(at = this.at) {
    this.replace(this.items.filter((_, other) => other !== at));
  }

  /** Hold `items` from now on; the last one is current unless `at` says another. */
  replace(items, at = items.length - 1) {
    Object.assign(this, { items, at });
    this.save();
  }

  /** Hold `items` again, and behind them what was added since. */
  addMissing(items) {
    const known = new Set(items.map((item) => JSON.stringify(item)));
    this.replace([...items, ...this.items.filter((item) => !known.has(JSON.stringify(item)))]);
  }

  /** Read what is kept: another page of this tab may have changed it. */
  load() {
    this.items = this.readStored();
    this.at = this.items.length - 1;
  }

  save() {
    try {
      this.storage().setItem(this.key, JSON.stringify(this.items));
    } catch {
      // Storage is full or forbidden: the basket lasts as long as the page.
    }
  }

  readStored() {
    try {
      const items = JSON.parse(this.storage().getItem(this.key) ?? "[]");
      const isFresh = ({ since }) => this.now() - since < MAX_AGE_MS;
      return items.filter((item) => Array.isArray(item.drawn) && isFresh(item));
    } catch {
      return [];
    }
  }
}
