// Maps clicks and touches to actions of the console, by the clicked element.

const CLICK_ACTIONS = [
  [".option", (console, option) => console.select(option)],
  ["[data-copy]", (console) => console.copy()],
  ["[data-collect]", (console) => console.collect()],
  ["[data-copy-link]", (console, button) => console.link(button)],
  ["[data-copy-picture]", (console, button) => console.picture(button)],
  ["[data-favourite]", (console, button) => console.toggleFavourite(button)],
  ["[data-forget]", (console, chip) => console.forgetValue(chip.dataset.forget)],
  ["#basket-copy", (console) => console.copyBasket()],
  ["#clear", (console) => console.empty()],
  ["#next-customer", (console) => console.nextCustomer()],
  ["#other-customer", (console) => console.switchCustomer()],
  ["#previous-customer", (console) => console.previousCustomer()],
  ["#undo", (console) => console.undo.undo()],
  [".did-you-mean a", (console, link) => console.correctWords(link.textContent)],
];

/** Return [element, act] for the element around `target` that has an action, or []. */
export function findClickAction(target) {
  const element = target.closest(CLICK_ACTIONS.map(([selector]) => selector).join());
  if (!element) return [];
  const [, act] = CLICK_ACTIONS.find(([selector]) => element.matches(selector));
  return [element, act];
}
