/* Pictures that are too heavy to send are made smaller where they are. */

const LIGHT = 1 << 20; // bytes that may go as they are
const WIDE = 1600; // pixels, as our site keeps them
const AREA = 6e6;

/** Return `file`, or a smaller picture of it where the browser can make one. */
export async function small(file) {
  if (file.size <= LIGHT) return file;
  try {
    const made = await drawn(await createImageBitmap(file));
    if (!made || made.size >= file.size) return file;
    return new File([made], file.name.replace(/\.\w+$|$/, ".jpg"), { type: made.type });
  } catch {
    return file; // our site says what is wrong with it
  }
}

function drawn(image) {
  const ratio = Math.min(1, WIDE / image.width, Math.sqrt(AREA / (image.width * image.height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * ratio);
  canvas.height = Math.round(image.height * ratio);
  const paper = canvas.getContext("2d");
  paper.fillStyle = "#fff"; // behind what is transparent
  paper.fillRect(0, 0, canvas.width, canvas.height);
  paper.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.88));
}
