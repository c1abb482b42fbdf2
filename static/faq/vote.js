/* 有帮助吗: the response replaces the form; without this script it is a page. */

import { parseTrustedHtml } from "../shared/html.js";
import { post, ResponseError } from "../shared/http.js";

async function vote(form, button) {
  const body = new FormData(form);
  if (button?.name) body.append(button.name, button.value);
  body.append("part", "1");
  const response = await post(form.action, new URLSearchParams(body));
  if (!response.ok && response.status !== 400) throw new ResponseError(response);
  const part = document.createElement("div");
  part.append(parseTrustedHtml(await response.text()));
  (form.closest("[data-voted]") ?? form).replaceWith(part);
  part.querySelector("[data-voted]").focus({ preventScroll: true });
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-vote]");
  if (!form || form.dataset.vote === "plain") return;
  event.preventDefault();
  vote(form, event.submitter).catch(() => {
    form.dataset.vote = "plain"; // offline or throttled: the browser shows the response
    form.requestSubmit(event.submitter);
  });
});
