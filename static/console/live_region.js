// What happened, said in the live region, and what is known of the customer.

/** A function that writes into the live region `where`. */
export function speaker(where) {
  let frame = 0;
  return (text, kind = "") => {
    cancelAnimationFrame(frame);
    where.className = kind;
    where.textContent = ""; // emptied first, so that the same is read out again
    if (text) frame = requestAnimationFrame(() => (where.textContent = text));
  };
}

/** What is known of the customer: a click takes it out. */
export function chip({ name, value, isCarried }) {
  const made = document.getElementById("customer-chip").content.firstElementChild.cloneNode(true);
  const button = made.querySelector("button");
  button.dataset.forget = name;
  button.title = isCarried ? `${name}是之前填的，复制前请核对；点一下去掉` : `去掉${name}`;
  button.classList.toggle("carried", isCarried);
  made.querySelector(".carried-mark").hidden = !isCarried;
  made.querySelector(".name").textContent = name;
  made.querySelector(".value").textContent = value;
  return made;
}
