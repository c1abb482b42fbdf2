// The undo stack of the console: steps that emptied, removed or replaced something.

const PREFIX = "kb-console-undo-";
const MAX_STEPS = 20;

/** Steps that can be undone; they survive a reload of the tab. */
export class UndoStack {
  /** `apply` undoes a step. */
  constructor({ owner, button, apply }) {
    Object.assign(this, { key: PREFIX + owner, button, apply });
    this.steps = read(this.key);
    this.isLast = false; // nothing was typed since the last step
    document.addEventListener("input", () => (this.isLast = false), true);
    this.draw();
  }

  /** `label` names what was done; `step` is what `apply` takes; `isLast` gives it Ctrl+Z. */
  push(label, step, { isLast = true } = {}) {
    this.steps = [...this.steps, { label, ...step }].slice(-MAX_STEPS);
    this.isLast = isLast;
    this.changed();
  }

  /** Take the last step off without doing it. */
  pop() {
    const step = this.steps.at(-1);
    this.steps = this.steps.slice(0, -1);
    this.changed();
    return step;
  }

  get isEmpty() {
    return this.steps.length === 0;
  }

  undo() {
    if (this.isEmpty) return;
    const step = this.pop();
    this.isLast = true; // Ctrl+Z goes on with the step before
    this.apply(step);
  }

  changed() {
    try {
      sessionStorage.setItem(this.key, JSON.stringify(this.steps));
    } catch {
      // Storage is full or forbidden: the steps last as long as the page.
    }
    this.draw();
  }

  draw() {
    const step = this.steps.at(-1);
    this.button.hidden = !step;
    if (step) this.button.querySelector("[data-label]").textContent = `撤销${step.label}`;
  }
}

function read(key) {
  try {
    const steps = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    return Array.isArray(steps) ? steps : [];
  } catch {
    return [];
  }
}
