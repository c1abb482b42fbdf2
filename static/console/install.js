// The page that explains how to install the console.

import { copy } from "./clipboard.js";

const [bookmark, code, button, install, statusLine] = [
  "bookmark",
  "bookmark-code",
  "copy-bookmark",
  "install",
  "status-message",
].map((id) => document.getElementById(id));

button.hidden = false;
button.addEventListener("click", async () => {
  statusLine.textContent = (await copy(code.value)) ? "已复制" : "没能复制，请选中文字后按 Ctrl+C";
});
bookmark.addEventListener("click", (event) => {
  event.preventDefault(); // the bookmarklet is for other pages
  statusLine.textContent = "请把按钮拖到书签栏";
});

addEventListener("beforeinstallprompt", (prompt) => {
  prompt.preventDefault();
  install.hidden = false;
  install.onclick = () => prompt.prompt();
});
