/* 有帮助吗: the answer appears in the form's place; without this file, on a page. */

import { parseTrustedHtml } from "../shared/html.js";
import { post, ResponseError } from "../shared/http.js";

async function vote(form, button) {
  const body = new FormData(form);
  if (button?.name) body.append(button.name, button.value);
  body.append("part", "1");
  const answer = await post(form.action, new URLSearchParams(body));
  if (!answer.ok && answer.status !== 400) throw new ResponseError(answer);
  const part = document.createElement("div");
  part.append(parseTrustedHtml(await answer.text()));
  (form.closest("[data-voted]") ?? form).replaceWith(part);
  part.querySelector("[data-voted]").focus({ preventScroll: true });
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-vote]");
  if (!form || form.dataset.vote === "plain") return;
  event.preventDefault();
  vote(form, event.submitter).catch(() => {
    form.dataset.vote = "plain"; // offline, or too often: let the browser say so
    form.requestSubmit(event.submitter);
  });
});
