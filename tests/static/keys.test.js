import assert from "node:assert/strict";
import { test } from "node:test";

// Node.js has no document: an element answers which selectors it stands within.
globalThis.Element = class {
  constructor(...selectors) {
    this.selectors = selectors;
    this.id = selectors.includes("#q") ? "q" : "";
  }

  closest(selector) {
    return selector.split(", ").some((one) => this.selectors.includes(one)) ? this : null;
  }
};
const { getKeyAction } = await import("../../static/console/keys.js");

const box = new Element("#q", "input");
const blank = new Element("[data-fill]", "input");
const tab = new Element('[role="tab"]', "button");
const field = new Element("select");
const page = new Element();
const press = (target, key, more = {}) => getKeyAction({ target, key, code: "", ...more });

test("keys mean what their place makes of them", () => {
  assert.deepEqual(press(box, "ArrowDown"), ["next", 1]);
  assert.deepEqual(press(box, "Tab", { shiftKey: true }), ["tab", -1]);
  assert.deepEqual(press(blank, "Enter"), ["advance", 1]);
  assert.deepEqual(press(tab, "ArrowRight"), ["variant-next", 1]);
  assert.deepEqual(press(field, "ArrowDown"), [""]);
  assert.deepEqual(press(page, "/"), ["box", 1]);
});

test("a digit is a letter where text is typed, and needs Alt there", () => {
  assert.deepEqual(press(box, "3"), [""]);
  assert.deepEqual(press(page, "3"), ["pick", 3]);
  assert.deepEqual(press(box, "3", { altKey: true, code: "Digit3" }), ["pick", 3]);
});

test("a letter away from a field is typed into the box", () => {
  assert.deepEqual(press(page, "退"), ["type"]);
  assert.deepEqual(press(tab, "x"), [""]);
  assert.deepEqual(press(page, "F5"), [""]);
});

test("every key belongs to an input method while it composes", () => {
  assert.deepEqual(press(box, "Enter", { isComposing: true }), [""]);
  assert.deepEqual(press(box, "Enter", { keyCode: 229 }), [""]);
});

test("Ctrl keys of the browser stay the browser's", () => {
  assert.deepEqual(press(box, "Enter", { ctrlKey: true }), ["basket-copy"]);
  assert.deepEqual(press(box, "z", { metaKey: true }), ["undo-last"]);
  assert.deepEqual(press(box, "z", { ctrlKey: true, shiftKey: true }), [""]);
  assert.deepEqual(press(box, "c", { ctrlKey: true }), [""]);
});
