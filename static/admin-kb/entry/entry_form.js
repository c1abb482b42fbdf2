// What is typed on the page of an entry: read, sent, and only the last answer kept.

import { isJson, LatestRequest, NetworkError } from "../../shared/http.js";

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
export class FormPost extends LatestRequest {
  constructor(address) {
    super();
    this.address = address;
  }

  /** Return the Response. Throws Error with a sentence for the writer, and AbortError. */
  async post(body) {
    const token = form.elements.namedItem("csrfmiddlewaretoken").value;
    const response = await this.send(this.address, { method: "POST", body, token }).catch(
      inChinese,
    );
    if (response.redirected) throw new Error("您已退出登录，请在新窗口登录后再试。");
    return response;
  }

  /** Return the JSON of the answer; `failure` is said where it is none. Throws as `post` does. */
  async postForJson(body, failure) {
    const response = await this.post(body);
    if (!isJson(response)) throw new Error(failure);
    const answer = await response.json();
    if (answer.error) throw new Error(answer.error);
    return answer;
  }
}

function inChinese(error) {
  throw error instanceof NetworkError ? new Error("网络不通，请稍后再试。") : error;
}

/** Call `act` whenever anything of the form is typed, chosen or taken away. */
export function whenTyped(act) {
  form.addEventListener("input", act);
  form.addEventListener("change", act);
  document.addEventListener("formset:added", act);
  document.addEventListener("formset:removed", act);
}
