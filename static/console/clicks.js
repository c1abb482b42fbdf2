// What a click or a touch means, by what it hits.

const CLICKED = [
  [".option", (console, option) => console.select(option)],
  ["[data-copy]", (console) => console.copy()],
  ["[data-collect]", (console) => console.collect()],
  ["[data-copy-link]", (console, button) => console.link(button)],
  ["[data-copy-picture]", (console, button) => console.picture(button)],
  ["[data-favour]", (console, button) => console.favour(button)],
  ["[data-forget]", (console, chip) => console.forgetValue(chip.dataset.forget)],
  ["#basket-copy", (console) => console.copyBasket()],
  ["#clear", (console) => console.empty()],
  ["#next-customer", (console) => console.nextCustomer()],
  ["#other-customer", (console) => console.putAway()],
  ["#previous-customer", (console) => console.previousCustomer()],
  ["#undo", (console) => console.undo.undo()],
  [".meant a", (console, link) => console.correctWords(link.textContent)],
];

/** Return [element, act]: what `target` belongs to, and what it does; or nothing. */
export function clicked(target) {
  const element = target.closest(CLICKED.map(([selector]) => selector).join());
  if (!element) return [];
  const [, act] = CLICKED.find(([selector]) => element.matches(selector));
  return [element, act];
}
