// The page that says how to have the console at hand.

import { copy } from "./clipboard.js";

const [bookmark, code, button, install, said] = [
  "bookmark",
  "bookmark-code",
  "copy-bookmark",
  "install",
  "said",
].map((id) => document.getElementById(id));

button.hidden = false;
button.addEventListener("click", async () => {
  said.textContent = (await copy(code.value)) ? "已复制" : "没能复制，请选中文字后按 Ctrl+C";
});
bookmark.addEventListener("click", (event) => {
  event.preventDefault(); // it is for other pages
  said.textContent = "请把按钮拖到书签栏";
});

addEventListener("beforeinstallprompt", (prompt) => {
  prompt.preventDefault();
  install.hidden = false;
  install.onclick = () => prompt.prompt();
});
