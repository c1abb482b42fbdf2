/* 有帮助吗: the answer appears in the form's place; without this file, on a page. */

import { parseTrustedHtml } from "../shared/html.js";
import { post, ResponseError } from "../shared/http.js";

async function judge(form, button) {
  const sent = new FormData(form);
  if (button?.name) sent.append(button.name, button.value);
  sent.append("part", "1");
  const answer = await post(form.action, new URLSearchParams(sent));
  if (!answer.ok && answer.status !== 400) throw new ResponseError(answer);
  const shown = document.createElement("div");
  shown.append(parseTrustedHtml(await answer.text()));
  (form.closest("[data-judged]") ?? form).replaceWith(shown);
  shown.querySelector("[data-judged]").focus({ preventScroll: true });
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-judge]");
  if (!form || form.dataset.judge === "plain") return;
  event.preventDefault();
  judge(form, event.submitter).catch(() => {
    form.dataset.judge = "plain"; // offline, or too often: let the browser say so
    form.requestSubmit(event.submitter);
  });
});
