// Copies plain text, also on pages without https.

/**
 * Copy what `prepare` resolves to; null copies nothing. Call it within the key press or click.
 *
 * Safari writes to the clipboard only if the write begins while the key is handled, so it
 * begins at once and the text follows. Resolves to {text, isCopied}.
 */
export async function copyPrepared(prepare) {
  const prepared = prepare();
  const written = writeWhenReady(prepared);
  const text = await prepared;
  if (text === null) return { text, isCopied: false };
  return { text, isCopied: (await written) || (await writeNow(text)) };
}

/** Show `text` for a manual copy; resolve to whether it was copied. Few browsers need this. */
export async function offerManualCopy(text) {
  try {
    const { copyByHand } = await import("./manual_copy.js");
    return await copyByHand(text);
  } catch {
    return false; // the network is down
  }
}

/** Copy `text`; resolves to whether it worked. */
export async function copy(text) {
  const { isCopied } = await copyPrepared(async () => text);
  return isCopied;
}

async function writeWhenReady(prepared) {
  const blob = prepared.then((text) => {
    if (text === null) throw new Error("nothing to copy");
    return new Blob([text], { type: "text/plain" });
  });
  blob.catch(() => {}); // a browser that cannot use it ignores the rejection
  try {
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    return true;
  } catch {
    return false; // nothing to copy, no https, or an older browser
  }
}

async function writeNow(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelecting(text); // no https, or permission denied
  }
}

function copyBySelecting(text) {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.className = "visually-hidden";
  area.setAttribute("aria-hidden", "true");
  document.body.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    area.remove();
    before?.focus({ preventScroll: true });
  }
}
