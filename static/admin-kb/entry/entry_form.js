// Reading and posting the form of an entry; only the last response counts.

import { isJson, LatestRequest, NetworkError } from "../../shared/http.js";

const form = document.querySelector("#entry_form");

/** Return the field with that name. */
export const getField = (name) => form.elements.namedItem(name);

/** Return the cards of replies, without the empty one and those to be deleted. */
export function listReplyCards() {
  return [...document.querySelectorAll("#replies-group .inline-related:not(.empty-form)")].filter(
    (card) => card.querySelector("textarea") && !card.querySelector("[name$=DELETE]")?.checked,
  );
}

/** Return the typed texts as a request body that leaves line ends alone. */
export function readTypedTexts() {
  const body = new URLSearchParams();
  for (const name of ["question", "answer", "phrasings"])
    body.set(name, getField(name)?.value ?? "");
  body.set("audience", form.querySelector("[name=audience]:checked")?.value ?? "");
  for (const card of listReplyCards()) {
    const text = card.querySelector("textarea");
    body.append("place", text.name);
    body.append("label", card.querySelector("[name$=label]")?.value ?? "");
    body.append("reply", text.value);
  }
  return body;
}

/** Return a function that calls `act` once it was not called for that long. */
export function debounce(act, milliseconds) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds);
  };
}

/** Posts to one address; the response to an older request is dropped. */
export class FormPost extends LatestRequest {
  constructor(address) {
    super();
    this.address = address;
  }

  /** Return the Response. Throws Error with a message for the person, and AbortError. */
  async post(body) {
    const token = form.elements.namedItem("csrfmiddlewaretoken").value;
    const response = await this.send(this.address, { method: "POST", body, token }).catch(
      throwInChinese,
    );
    if (response.redirected) throw new Error("您已退出登录，请在新窗口登录后再试。");
    return response;
  }

  /** Return the JSON of the response; throws `failure` where it is no JSON, else as `post` does. */
  async postForJson(body, failure) {
    const response = await this.post(body);
    if (!isJson(response)) throw new Error(failure);
    const answer = await response.json();
    if (answer.error) throw new Error(answer.error);
    return answer;
  }
}

function throwInChinese(error) {
  throw error instanceof NetworkError ? new Error("网络不通，请稍后再试。") : error;
}

/** Call `act` whenever anything of the form is typed, chosen or removed. */
export function onFormChange(act) {
  form.addEventListener("input", act);
  form.addEventListener("change", act);
  document.addEventListener("formset:added", act);
  document.addEventListener("formset:removed", act);
}
