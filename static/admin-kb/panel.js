/* A sentence is tried on the vocabulary as it stands in the form, while one types. */

const WAIT = 300; // milliseconds after the last key
const panel = document.querySelector("#panel");
if (panel) attach();

function attach() {
  const form = panel.closest("form");
  const words = panel.querySelector("#panel-words");
  const shown = panel.querySelector("[data-shown]");
  let asking = new AbortController();
  let timer = 0;

  async function ask() {
    asking.abort();
    const { signal } = (asking = new AbortController());
    const body = new URLSearchParams({
      q: words.value,
      kind: panel.dataset.kind,
      row: panel.dataset.row,
    });
    for (const name of panel.dataset.fields.split(" ")) {
      const field = form.elements.namedItem(name);
      if (field && (field.type !== "checkbox" || field.checked)) body.set(name, field.value);
    }
    const token = form.elements.namedItem("csrfmiddlewaretoken").value;
    try {
      const response = await fetch(panel.dataset.address, {
        method: "POST",
        body,
        signal,
        headers: { "X-CSRFToken": token },
      });
      if (response.redirected || !response.ok) throw new Error(response.status);
      const html = await response.text();
      signal.throwIfAborted();
      shown.innerHTML = html;
    } catch (error) {
      if (error.name !== "AbortError") shown.textContent = "没有查成，请检查网络后再试。";
    }
  }

  function soon(event) {
    if (event.target === words && !words.value.trim()) return;
    clearTimeout(timer);
    if (words.value.trim()) timer = setTimeout(ask, WAIT);
  }

  words.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // must not save
  });
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  panel.hidden = false;
}
