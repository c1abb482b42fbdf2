// The answer as customers see it, in a frame of its own: their CSS, no script.

import { Asking, settled, typed, whenTyped } from "./typed.js";

const WAIT = 300; // milliseconds after the last key

export function showPreview(aside) {
  const frame = aside.querySelector("iframe");
  const said = aside.querySelector("[data-preview-said]");
  const asking = new Asking(aside.dataset.preview);
  const buttons = [...aside.querySelectorAll("[data-script]")];
  let script = "zh-hans";
  let drawn = "";

  async function draw() {
    const body = typed();
    body.set("script", script);
    if (aside.dataset.entry) body.set("entry", aside.dataset.entry);
    try {
      const response = await asking.post(body);
      const text = await response.text();
      said.textContent = response.ok ? "" : text;
      if (response.ok) show(text);
    } catch (error) {
      if (error.name !== "AbortError") said.textContent = "预览没有更新，请检查网络。";
    }
  }

  /* The first page makes the frame; later ones change its words, so that nothing jumps. */
  function show(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const main = frame.contentDocument?.querySelector("#main");
    if (!main || !drawn) {
      frame.srcdoc = html;
    } else if (drawn !== html) {
      frame.contentDocument.documentElement.lang = page.documentElement.lang;
      main.replaceWith(frame.contentDocument.importNode(page.querySelector("#main"), true));
    }
    drawn = html;
  }

  frame.addEventListener("load", () => {
    frame.contentDocument.addEventListener("click", (event) => {
      const link = event.target.closest?.("a");
      if (link && !link.getAttribute("href")?.startsWith("#")) event.preventDefault();
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
