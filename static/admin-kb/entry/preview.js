// The answer as customers see it, in a frame with their CSS and no script.

import { debounce, FormPost, onFormChange, readTypedTexts } from "./entry_form.js";

const WAIT_MS = 300; // after the last key

export function showPreview(aside) {
  const frame = aside.querySelector("iframe");
  const status = aside.querySelector("[data-preview-said]");
  const previewRequest = new FormPost(aside.dataset.preview);
  const buttons = [...aside.querySelectorAll("[data-script]")];
  let script = "zh-hans";
  let shownHtml = "";

  async function update() {
    const body = readTypedTexts();
    body.set("script", script);
    if (aside.dataset.entry) body.set("entry", aside.dataset.entry);
    try {
      const response = await previewRequest.post(body);
      showResponse(response.ok, await response.text());
    } catch (error) {
      if (error.name !== "AbortError") status.textContent = "预览没有更新，请检查网络。";
    }
  }

  /* Show a page, or the reason why there is none. */
  function showResponse(isPage, text) {
    status.textContent = isPage ? "" : text;
    if (isPage) show(text);
  }

  /* The first page fills the frame; later ones replace its main part, so that nothing jumps. */
  function show(html) {
    const main = frame.contentDocument?.querySelector("#main");
    if (!main || !shownHtml) frame.srcdoc = html;
    else if (shownHtml !== html) replaceMain(main, html);
    shownHtml = html;
  }

  frame.addEventListener("load", () => {
    frame.contentDocument.addEventListener("click", (event) => {
      const link = event.target.closest?.("a");
      const isWithin = link?.getAttribute("href")?.startsWith("#");
      if (link && !isWithin) event.preventDefault();
    });
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      script = button.dataset.script;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      update();
    });
  }
  onFormChange(debounce(update, WAIT_MS));
  update();
}

/** Replace `main`, in another document, by the main part of the page `html`. */
function replaceMain(main, html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const { ownerDocument } = main;
  ownerDocument.documentElement.lang = page.documentElement.lang;
  main.replaceWith(ownerDocument.importNode(page.querySelector("#main"), true));
}
