// Which of last week's searches would have shown the announcement, while its keywords are typed.

import { parseTrustedHtml } from "../shared/html.js";
import { LatestRequest } from "../shared/http.js";

const WAIT_MS = 500; // after the last key
const panel = document.getElementById("announcement-reach");
const form = panel?.closest("form");
let timer = 0;
const latest = new LatestRequest();

async function update() {
  const body = new URLSearchParams();
  for (const name of ["keywords", "audience"])
    body.set(name, form.elements.namedItem(name)?.value ?? "");
  const token = form.elements.namedItem("csrfmiddlewaretoken").value;
  try {
    const html = await latest.fetchText(panel.dataset.address, { method: "POST", body, token });
    panel.replaceChildren(parseTrustedHtml(html));
  } catch (error) {
    if (error.name !== "AbortError") panel.textContent = "没有查成，请检查网络后再试。";
  }
}

function updateSoon(event) {
  if (!["keywords", "audience"].includes(event.target.name)) return;
  clearTimeout(timer);
  timer = setTimeout(update, WAIT_MS);
}

form?.addEventListener("input", updateSoon);
form?.addEventListener("change", updateSoon);
