// The items of the basket and their order, which survive a reload.

export const MAX_ITEMS = 20; // the server accepts no more
const MAX_AGE_MS = 3_600_000; // older items may be outdated

/**
 * The items of a basket: {drawn, title, pick, since}, stored in `storage` under `key`.
 *
 * `drawn` holds the pieces of a reply; see blanks.js. `at` is the index of the current item, which
 * is moved and removed by keys; -1 when the basket is empty.
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

  /** Append an item; it becomes the current one. */
  add(item) {
    this.replace([...this.items, { ...item, since: this.now() }]);
  }

  /** Move the item at `at`, which becomes the current one; return whether that was possible. */
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

  /** Replace the items; the last one is current unless `at` is given. */
  replace(items, at = items.length - 1) {
    Object.assign(this, { items, at });
    this.save();
  }

  /** Put `items` back before those that were added since. */
  addMissing(items) {
    const known = new Set(items.map((item) => JSON.stringify(item)));
    this.replace([...items, ...this.items.filter((item) => !known.has(JSON.stringify(item)))]);
  }

  /** Read the storage again: another page of this tab may have changed it. */
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
