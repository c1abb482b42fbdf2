// Maps keys to actions of the console, by where they are pressed.

import { isComposing } from "../shared/composing.js";

/** The kind of place `target` is in: box, blank, tab, field, control or page. */
export function getPlace(target) {
  if (!(target instanceof Element)) return "page";
  if (target.id === "q") return "box";
  if (target.closest("[data-fill]")) return "blank";
  if (target.closest('[role="tab"]')) return "tab";
  if (target.closest("input, select, textarea")) return "field";
  if (target.closest("a, button, summary")) return "control";
  return "page";
}

const EVERYWHERE = { Escape: "escape" };
const ACTIONS_BY_PLACE = {
  box: { ArrowDown: "next", ArrowUp: "previous", Enter: "copy", Tab: "tab" },
  blank: { Enter: "advance" },
  tab: { ArrowRight: "variant-next", ArrowLeft: "variant-previous", Enter: "copy" },
  field: {},
  control: {},
  page: { ArrowDown: "next", ArrowUp: "previous", Enter: "copy", "/": "box" },
};

// By code: with Alt the keys of a Mac produce other characters.
const ALT = {
  ArrowRight: ["variant-next"],
  ArrowLeft: ["variant-previous"],
  BracketLeft: ["basket-move", -1],
  BracketRight: ["basket-move", 1],
  Equal: ["basket-add"],
  NumpadAdd: ["basket-add"],
  Minus: ["basket-out"],
  NumpadSubtract: ["basket-out"],
  KeyF: ["favourite"],
  KeyL: ["link"],
  KeyM: ["copy-to-own"],
  KeyQ: ["previous-customer"],
  KeyZ: ["undo"],
};

/**
 * Return [action, argument] for a keydown event, or [""] for other keys.
 *
 * Where text is typed, digits belong to the text and need Alt.
 */
export function getKeyAction(event) {
  if (isComposing(event)) return [""];
  if (event.ctrlKey || event.metaKey) return withControl(event);
  if (event.altKey) return withAlt(event);
  const place = getPlace(event.target);
  const action = EVERYWHERE[event.key] ?? ACTIONS_BY_PLACE[place][event.key];
  if (action) return [action, event.shiftKey ? -1 : 1];
  return place === "box" || place === "blank" || place === "field"
    ? [""]
    : withoutField(event, place);
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

function withoutField(event, place) {
  if (/^[1-9]$/.test(event.key)) return ["pick", Number(event.key)];
  if (event.key === "+") return ["basket-add"];
  const character = [...event.key].length === 1 && event.key !== " ";
  return character && place !== "tab" ? ["type"] : [""];
}
