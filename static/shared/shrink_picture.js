/* Shrinks large pictures in the browser before they are uploaded. */

const MAX_UNCHANGED_BYTES = 1 << 20;
const MAX_WIDTH_PX = 1600; // the server stores no wider pictures
const MAX_AREA_PX = 6e6;

/** Return `file`, or a smaller picture of it where the browser can make one. */
export async function shrinkPicture(file) {
  if (file.size <= MAX_UNCHANGED_BYTES) return file;
  try {
    const blob = await drawSmaller(await createImageBitmap(file));
    if (!blob || blob.size >= file.size) return file;
    return new File([blob], file.name.replace(/\.\w+$|$/, ".jpg"), { type: blob.type });
  } catch {
    return file; // the server reports the error
  }
}

function drawSmaller(image) {
  const ratio = Math.min(
    1,
    MAX_WIDTH_PX / image.width,
    Math.sqrt(MAX_AREA_PX / (image.width * image.height)),
  );
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * ratio);
  canvas.height = Math.round(image.height * ratio);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // behind what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.88));
}
