// What is typed on the page of an entry: read, sent, and only the last answer kept.

const form = document.querySelector("#entry_form");

/** The field called `name`, wherever it stands on the form. */
export const field = (name) => form.elements.namedItem(name);

/** The cards of replies that stay: not the empty one, none that is to be deleted. */
export function replies() {
  return [...document.querySelectorAll("#replies-group .inline-related:not(.empty-form)")].filter(
    (card) => card.querySelector("textarea") && !card.querySelector("[name$=DELETE]")?.checked,
  );
}

/** Both faces as a body that leaves line ends alone. */
export function typed() {
  const body = new URLSearchParams();
  for (const name of ["question", "answer", "phrasings"]) body.set(name, field(name)?.value ?? "");
  body.set("audience", form.querySelector("[name=audience]:checked")?.value ?? "");
  for (const card of replies()) {
    const text = card.querySelector("textarea");
    body.append("place", text.name);
    body.append("label", card.querySelector("[name$=label]")?.value ?? "");
    body.append("reply", text.value);
  }
  return body;
}

/** Return a function that does `act` once nobody called it for so long. */
export function settled(act, milliseconds) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds);
  };
}

/** Posts to one address; an answer that is not the last one's never comes. */
export class Asking {
  constructor(address) {
    this.address = address;
    this.controller = new AbortController();
  }

  async post(body) {
    this.controller.abort();
    const { signal } = (this.controller = new AbortController());
    const token = form.elements.namedItem("csrfmiddlewaretoken").value;
    const response = await fetch(this.address, {
      method: "POST",
      body,
      signal,
      headers: { "X-CSRFToken": token },
    });
    if (response.redirected) throw new Error("您已退出登录，请在新窗口登录后再试。");
    signal.throwIfAborted();
    return response;
  }
}

/** Call `act` whenever anything of the form is typed, chosen or taken away. */
export function whenTyped(act) {
  form.addEventListener("input", act);
  form.addEventListener("change", act);
  document.addEventListener("formset:added", act);
  document.addEventListener("formset:removed", act);
}
