/* Pictures in an answer: dropped, pasted or chosen; each needs an alternative text first. */

import { isJson, NetworkError, post, UPLOAD_TIMEOUT_MS } from "../shared/http.js";
import { shrinkPicture } from "../shared/shrink_picture.js";
import { insertionAt } from "./insertion.js";

const dialog = document.querySelector("#picture-dialog");
const answer = document.querySelector("textarea[name=answer]");
if (dialog && answer) attach();

function attach() {
  const form = dialog.querySelector("form");
  const preview = dialog.querySelector("img");
  const alt = dialog.querySelector("[name=alt]");
  const alertBox = dialog.querySelector("[role=alert]");
  const send = dialog.querySelector("[type=submit]");
  const tools = document.querySelector("#picture-tools");
  const fileInput = tools.querySelector("input");
  const status = tools.querySelector("[role=status]");
  const waiting = [];

  const pictures = (transfer) =>
    [...(transfer?.files ?? [])].filter((file) => file.type.startsWith("image/"));

  function take(event, files) {
    if (!files.length) return;
    event.preventDefault();
    waiting.push(...files);
    if (!dialog.open) next();
  }

  function next() {
    if (!waiting.length) return answer.focus();
    const reader = new FileReader(); // a data: address, which the policy allows
    reader.onload = () => (preview.src = reader.result);
    reader.readAsDataURL(waiting[0]);
    alt.value = alertBox.textContent = "";
    if (!dialog.open) dialog.showModal();
    alt.focus();
  }

  async function upload() {
    const body = new FormData();
    body.append("file", await shrinkPicture(waiting[0]));
    body.append("alt", alt.value);
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const options = { token, timeoutMs: UPLOAD_TIMEOUT_MS };
    const response = await post(tools.dataset.upload, body, options);
    if (response.ok) return (await response.json()).markdown;
    throw new Error(isJson(response) ? (await response.json()).error : tools.dataset.failed);
  }

  function insert(markdown) {
    const caret = answer.selectionEnd;
    answer.setRangeText(insertionAt(answer.value, caret, markdown), caret, caret, "end");
    answer.dispatchEvent(new Event("input", { bubbles: true }));
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    alertBox.textContent = "";
    try {
      insert(await upload());
      status.textContent = tools.dataset.done;
      waiting.shift();
      dialog.close();
      next();
    } catch (error) {
      const isUnsaid = error instanceof NetworkError || !error.message;
      alertBox.textContent = isUnsaid ? tools.dataset.failed : error.message;
    } finally {
      send.disabled = false;
    }
  });

  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close("no"));
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "no") waiting.length = 0;
    dialog.returnValue = "";
  });
  dialog.addEventListener("cancel", () => (waiting.length = 0));

  answer.after(tools);
  tools.hidden = false;
  fileInput.addEventListener("change", (event) => {
    take(event, pictures(fileInput));
    fileInput.value = "";
  });
  answer.addEventListener("paste", (event) => {
    const words = event.clipboardData.types.includes("text/plain"); // a table, say
    take(event, words ? [] : pictures(event.clipboardData));
  });
  answer.addEventListener("dragover", (event) => {
    if (event.dataTransfer.types.includes("Files")) event.preventDefault();
  });
  answer.addEventListener("drop", (event) => take(event, pictures(event.dataTransfer)));
}
