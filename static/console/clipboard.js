// Plain text to the clipboard, also where the page has no secure address.

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

/** Show `text` to be copied by hand; resolves to whether it was. Few browsers ever need this. */
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
  blob.catch(() => {}); // the browser that cannot use it does not look at it
  try {
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    return true;
  } catch {
    return false; // nothing to copy, no secure address, or an older browser
  }
}

async function writeNow(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelecting(text); // no secure address, or permission refused
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
