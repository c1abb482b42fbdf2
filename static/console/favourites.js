// Marks and unmarks favourites: the star in the preview and in the list.

import { fetchSignedIn } from "../shared/sign_in.js";

/** Toggle the entry of `button`; resolve to whether it is a favourite now. Throws Error. */
export async function toggle(button) {
  const isFavourite = await send({ [button.name]: button.value });
  draw(button, isFavourite);
  return isFavourite;
}

/** Make `entry` a favourite again, in the preview and the list too. Throws Error. */
export async function restoreFavourite(entry) {
  const isFavourite = await send({ keep: entry });
  const button = document.querySelector(`[data-favourite][value="${CSS.escape(entry)}"]`);
  if (button) draw(button, isFavourite);
}

async function send(body) {
  const form = document.getElementById("favourite-form");
  const response = await fetchSignedIn(form.action, () => ({
    method: "POST",
    body: new URLSearchParams(body),
    token: form.dataset.token,
    headers: { Accept: "application/json" },
  }));
  if (!response?.ok) throw new Error(response ? await response.text() : "signed out");
  return (await response.json()).kept;
}

function draw(button, isFavourite) {
  button.name = isFavourite ? "drop" : "keep";
  button.setAttribute("aria-pressed", String(isFavourite));
  button.querySelector(".star").textContent = isFavourite ? "★" : "☆";
  const question = document.querySelector(`#option-${button.value} .option-question`);
  question?.querySelector(".star")?.remove();
  if (!isFavourite || !question) return;
  const star = document.createElement("span");
  Object.assign(star, { className: "star", textContent: " ★", title: "已收藏" });
  question.append(star);
}
