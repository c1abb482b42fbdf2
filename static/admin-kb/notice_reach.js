// Which of last week's searches would have shown the notice, while its keywords are typed.

const WAIT_MS = 500; // after the last key
const panel = document.getElementById("notice-reach");
const form = panel?.closest("form");
let timer = 0;
let controller = new AbortController();

async function update() {
  controller.abort();
  const { signal } = (controller = new AbortController());
  const body = new URLSearchParams();
  for (const name of ["keywords", "audience"])
    body.set(name, form.elements.namedItem(name)?.value ?? "");
  const headers = { "X-CSRFToken": form.elements.namedItem("csrfmiddlewaretoken").value };
  try {
    const response = await fetch(panel.dataset.address, { method: "POST", body, signal, headers });
    if (response.redirected || !response.ok) throw new Error(String(response.status));
    const html = await response.text();
    if (!signal.aborted) panel.innerHTML = html;
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
