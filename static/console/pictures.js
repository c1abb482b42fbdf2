// Copies pictures to the clipboard, or opens them in a window where that is impossible.

import { request, requireOk } from "../shared/http.js";

/** Copy the picture at `address`; resolves to whether it was copied. */
export async function copyPicture(address) {
  try {
    const png = asPng(address); // a promise: some browsers forbid waiting before the write
    await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
    return true;
  } catch {
    window.open(address, "_blank", "noopener");
    return false;
  }
}

/** Add a copy button beside every picture of `element`. */
export function addCopyButtons(element) {
  for (const picture of element.querySelectorAll(".prose img")) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "link small", textContent: "复制图片" });
    button.dataset.copyPicture = picture.getAttribute("src");
    if (picture.alt) button.setAttribute("aria-label", `复制图片：${picture.alt}`);
    (picture.closest("a") ?? picture).after(button);
  }
}

/** The clipboard accepts only PNG. */
async function asPng(address) {
  const response = requireOk(await request(address));
  const blob = await response.blob();
  if (blob.type === "image/png") return blob;
  const bitmap = await createImageBitmap(blob);
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  return new Promise((resolve, reject) => {
    canvas.toBlob((png) => (png ? resolve(png) : reject(new Error("no picture"))), "image/png");
  });
}
