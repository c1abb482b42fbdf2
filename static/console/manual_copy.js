// A dialog with the selected text, for browsers that refuse to copy.

import { parseTrustedHtml } from "../shared/html.js";

const IS_MAC = /mac|iphone|ipad/i.test(
  navigator.userAgentData?.platform ?? navigator.platform ?? "",
);
const KEYS = IS_MAC ? "⌘C" : "Ctrl+C";

/** Show `text` for a manual copy; resolve to whether it was copied, once closed. */
export function copyByHand(text) {
  const dialog = document.createElement("dialog");
  dialog.className = "manual-copy";
  dialog.setAttribute("aria-labelledby", "manual-copy-title");
  dialog.append(
    parseTrustedHtml(`<h2 id="manual-copy-title">浏览器不让自动复制</h2>
    <p>文字已经选中，按 <kbd></kbd> 复制。</p>
    <textarea class="input" rows="6" readonly aria-label="要复制的文字"></textarea>
    <button class="button" type="button">关闭 <kbd>Esc</kbd></button>`),
  );
  dialog.querySelector("kbd").textContent = KEYS;
  const area = dialog.querySelector("textarea");
  area.value = text;
  document.body.append(dialog);
  dialog.showModal();
  area.focus();
  area.select();
  return new Promise((resolve) => {
    let isCopied = false;
    for (const kind of ["keydown", "click", "input"]) {
      dialog.addEventListener(kind, (event) => event.stopPropagation()); // no keys of the console
    }
    dialog.querySelector("button").addEventListener("click", () => dialog.close());
    area.addEventListener("copy", () => {
      isCopied = true;
      setTimeout(() => dialog.close()); // after the browser has taken the selection
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(isCopied);
    });
  });
}
