// The live region with status messages, and chips with the customer's values.

/** Return a function that shows a message in the live region `element`. */
export function makeStatusWriter(element) {
  let frame = 0;
  return (text, kind = "") => {
    cancelAnimationFrame(frame);
    element.className = kind;
    element.textContent = ""; // emptied first, so that the same message is read out again
    if (text) frame = requestAnimationFrame(() => (element.textContent = text));
  };
}

/** A chip with a value of the customer; a click removes the value. */
export function makeChip({ name, value, isCarried }) {
  const item = document.getElementById("customer-chip").content.firstElementChild.cloneNode(true);
  const button = item.querySelector("button");
  button.dataset.forget = name;
  button.title = isCarried ? `${name}是之前填的，复制前请核对；点一下去掉` : `去掉${name}`;
  button.classList.toggle("carried", isCarried);
  item.querySelector(".carried-mark").hidden = !isCarried;
  item.querySelector(".name").textContent = name;
  item.querySelector(".value").textContent = value;
  return item;
}
