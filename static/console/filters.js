// The filters of the list: in the address, and stored for the agent's next visit.

const PREFIX = "kb-console-filters-";

export class Filters {
  constructor({ form, changed }) {
    this.key = PREFIX + form.dataset.owner;
    this.selects = [...form.querySelectorAll("select[name]")];
    // The filter that belongs to the customer is not stored.
    this.stored = this.selects.filter(({ dataset }) => !("customerFilter" in dataset));
    for (const select of this.selects) {
      select.addEventListener("change", () => {
        this.save();
        changed();
      });
    }
  }

  /** [name, value] of the filters that differ from their default. */
  get changed() {
    return listChanged(this.selects);
  }

  save() {
    try {
      localStorage.setItem(this.key, JSON.stringify(listChanged(this.stored)));
    } catch {
      // Storage is full or forbidden: the filters last as long as the address.
    }
  }

  /** Set the stored filters; return whether anything changed. */
  restore() {
    let changed = false;
    for (const [name, value] of this.readStored()) {
      const select = this.stored.find((one) => one.name === name);
      const known = select && [...select.options].some((option) => option.value === value);
      if (!known || select.value === value) continue;
      select.value = value;
      changed = true;
    }
    return changed;
  }

  readStored() {
    try {
      const pairs = JSON.parse(localStorage.getItem(this.key) ?? "[]");
      return Array.isArray(pairs) ? pairs.filter(Array.isArray) : [];
    } catch {
      return [];
    }
  }
}

function listChanged(selects) {
  const changed = selects.filter(({ value, dataset }) => value !== dataset.default);
  return changed.map(({ name, value }) => [name, value]);
}
