// An entry at hand, or no more: the star in the preview and in the list.

/** Tell the server; resolves to whether `button`'s entry is kept now. Throws. */
export async function toggle(button) {
  const { action, dataset } = button.form;
  const response = await fetch(action, {
    method: "POST",
    body: new URLSearchParams({ [button.name]: button.value }),
    headers: { "X-CSRFToken": dataset.token, Accept: "application/json" },
    credentials: "same-origin",
  });
  if (!response.ok) throw new Error(await response.text());
  const { kept } = await response.json();
  draw(button, kept);
  return kept;
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
