// What a key means, by where it is pressed; nothing while an input method composes.

import { isComposing } from "../shared/composing.js";

/** Where `target` is: the box, a blank, a tab, another control, or just the page. */
export function place(target) {
  if (!(target instanceof Element)) return "page";
  if (target.id === "q") return "box";
  if (target.closest("[data-fill]")) return "blank";
  if (target.closest('[role="tab"]')) return "tab";
  if (target.closest("input, select, textarea")) return "field";
  if (target.closest("a, button, summary")) return "control";
  return "page";
}

const EVERYWHERE = { Escape: "escape" };
const MEANINGS = {
  box: { ArrowDown: "next", ArrowUp: "previous", Enter: "copy", Tab: "tab" },
  blank: { Enter: "advance" },
  tab: { ArrowRight: "variant-next", ArrowLeft: "variant-previous", Enter: "copy" },
  field: {},
  control: {},
  page: { ArrowDown: "next", ArrowUp: "previous", Enter: "copy", "/": "box" },
};

// By code: with Alt a Mac's keys are other characters.
const ALT = {
  ArrowRight: ["variant-next"],
  ArrowLeft: ["variant-previous"],
  BracketLeft: ["basket-move", -1],
  BracketRight: ["basket-move", 1],
  Equal: ["basket-add"],
  NumpadAdd: ["basket-add"],
  Minus: ["basket-out"],
  NumpadSubtract: ["basket-out"],
  KeyF: ["favour"],
  KeyL: ["link"],
  KeyM: ["mine"],
  KeyQ: ["previous-customer"],
  KeyZ: ["undo"],
};

/**
 * Return [action, argument] for a keydown event, or [""] when the key is not ours.
 *
 * Digits are letters of a query where text is typed, so there they need Alt.
 */
export function meaning(event) {
  if (isComposing(event)) return [""];
  if (event.ctrlKey || event.metaKey) return withControl(event);
  if (event.altKey) return withAlt(event);
  const where = place(event.target);
  const action = EVERYWHERE[event.key] ?? MEANINGS[where][event.key];
  if (action) return [action, event.shiftKey ? -1 : 1];
  return where === "box" || where === "blank" || where === "field"
    ? [""]
    : withoutField(event, where);
}

function withControl(event) {
  if (event.key === "Enter" && !event.altKey) return ["basket-copy"];
  if (event.altKey) return [""];
  const key = event.key.toLowerCase();
  if (key === "z" && !event.shiftKey) return ["undo-last"];
  return key === "k" ? ["box"] : [""];
}

function withAlt(event) {
  const digit = /^Digit([1-9])$/.exec(event.code);
  if (digit) return ["pick", Number(digit[1])];
  return ALT[event.code] ?? [""];
}

function withoutField(event, where) {
  if (/^[1-9]$/.test(event.key)) return ["pick", Number(event.key)];
  if (event.key === "+") return ["basket-add"];
  const character = [...event.key].length === 1 && event.key !== " ";
  return character && where !== "tab" ? ["type"] : [""];
}
