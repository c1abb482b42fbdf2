/* 有帮助吗: the answer appears in the form's place; without this file, on a page. */

async function judge(form, button) {
  const sent = new FormData(form);
  if (button?.name) sent.append(button.name, button.value);
  sent.append("part", "1");
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(sent) });
  if (!answer.ok && answer.status !== 400) throw new Error(String(answer.status));
  const shown = document.createElement("div");
  shown.innerHTML = await answer.text(); // written by our own templates
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
