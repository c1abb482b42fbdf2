// What narrows the list: in the address, and remembered for the next day.

const PREFIX = "kb-console-filters-";

export class Filters {
  constructor({ form, changed }) {
    this.key = PREFIX + form.dataset.owner;
    this.selects = [...form.querySelectorAll("select[name]")];
    // What belongs to the customer goes with him, and is not remembered here.
    this.lasting = this.selects.filter(({ dataset }) => !("ofCustomer" in dataset));
    for (const select of this.selects) {
      select.addEventListener("change", () => {
        this.keep();
        changed();
      });
    }
  }

  /** [name, value] of those that do not stand as they usually do. */
  get given() {
    return set(this.selects);
  }

  keep() {
    try {
      localStorage.setItem(this.key, JSON.stringify(set(this.lasting)));
    } catch {
      // Storage is full or forbidden: they stay as long as the address does.
    }
  }

  /** Set them as they were left; returns whether anything changed. */
  restore() {
    let changed = false;
    for (const [name, value] of this.kept()) {
      const select = this.lasting.find((one) => one.name === name);
      const known = select && [...select.options].some((option) => option.value === value);
      if (!known || select.value === value) continue;
      select.value = value;
      changed = true;
    }
    return changed;
  }

  kept() {
    try {
      const pairs = JSON.parse(localStorage.getItem(this.key) ?? "[]");
      return Array.isArray(pairs) ? pairs.filter(Array.isArray) : [];
    } catch {
      return [];
    }
  }
}

function set(selects) {
  const moved = selects.filter(({ value, dataset }) => value !== dataset.usual);
  return moved.map(({ name, value }) => [name, value]);
}
