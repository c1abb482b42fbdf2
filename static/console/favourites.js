// An entry at hand, or no more: the star in the preview and in the list.

import { fetchSignedIn } from "../shared/sign_in.js";

/** Tell the server; resolves to whether `button`'s entry is kept now. Throws. */
export async function toggle(button) {
  const kept = await send({ [button.name]: button.value });
  draw(button, kept);
  return kept;
}

/** Make `entry` a favourite again, in the preview and the list too where it stands there. */
export async function keepAgain(entry) {
  const kept = await send({ keep: entry });
  const button = document.querySelector(`[data-favour][value="${CSS.escape(entry)}"]`);
  if (button) draw(button, kept);
}

async function send(body) {
  const form = document.getElementById("favour");
  const response = await fetchSignedIn(form.action, () => ({
    method: "POST",
    body: new URLSearchParams(body),
    token: form.dataset.token,
    headers: { Accept: "application/json" },
  }));
  if (!response?.ok) throw new Error(response ? await response.text() : "signed out");
  return (await response.json()).kept;
}

function draw(button, kept) {
  button.name = kept ? "drop" : "keep";
  button.setAttribute("aria-pressed", String(kept));
  button.querySelector(".star").textContent = kept ? "★" : "☆";
  const question = document.querySelector(`#option-${button.value} .option-question`);
  question?.querySelector(".star")?.remove();
  if (!kept || !question) return;
  const star = document.createElement("span");
  Object.assign(star, { className: "star", textContent: " ★", title: "已收藏" });
  question.append(star);
}
