// The answer as customers see it, in a frame of its own: their CSS, no script.

import { FormPost, settled, typed, whenTyped } from "./entry_form.js";

const WAIT = 300; // milliseconds after the last key

export function showPreview(aside) {
  const frame = aside.querySelector("iframe");
  const said = aside.querySelector("[data-preview-said]");
  const previewRequest = new FormPost(aside.dataset.preview);
  const buttons = [...aside.querySelectorAll("[data-script]")];
  let script = "zh-hans";
  let drawn = "";

  async function draw() {
    const body = typed();
    body.set("script", script);
    if (aside.dataset.entry) body.set("entry", aside.dataset.entry);
    try {
      const response = await previewRequest.post(body);
      take(response.ok, await response.text());
    } catch (error) {
      if (error.name !== "AbortError") said.textContent = "预览没有更新，请检查网络。";
    }
  }

  /* A page to show, or the reason why there is none. */
  function take(isPage, text) {
    said.textContent = isPage ? "" : text;
    if (isPage) show(text);
  }

  /* The first page makes the frame; later ones change its words, so that nothing jumps. */
  function show(html) {
    const main = frame.contentDocument?.querySelector("#main");
    if (!main || !drawn) frame.srcdoc = html;
    else if (drawn !== html) replaceMain(main, html);
    drawn = html;
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
      for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
      draw();
    });
  }
  whenTyped(settled(draw, WAIT));
  draw();
}

/** Put the main part of the page `html` in the place of `main`, in another document. */
function replaceMain(main, html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const { ownerDocument } = main;
  ownerDocument.documentElement.lang = page.documentElement.lang;
  main.replaceWith(ownerDocument.importNode(page.querySelector("#main"), true));
}
