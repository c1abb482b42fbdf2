// The length of a message, as each channel counts it, and its limit.

// The basic characters of GSM 03.38, and those of its extension, which count twice.
const GSM_BASIC =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡" +
  "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const GSM_EXTENDED = "^{}\\[~]|€\f";
const MAX_WECHAT_BYTES = 2048; // of UTF-8, in a message of customer service
const MAX_QIANNIU_CHARS = 1000; // the limit is not published; this is well below

/** Return {text, over}: the length of `message` on `channel`, and whether it is too long. */
export function measureMessage(message, channel) {
  const count = [...message].length;
  if (channel === "sms") return sms(message, count);
  if (channel === "wechat") {
    const bytes = new TextEncoder().encode(message).length;
    return limited(count, bytes, MAX_WECHAT_BYTES, `微信 ${bytes}/${MAX_WECHAT_BYTES} 字节`);
  }
  if (channel === "qianniu")
    return limited(count, count, MAX_QIANNIU_CHARS, `千牛最多 ${MAX_QIANNIU_CHARS} 字`);
  return { text: `${count} 字`, over: false };
}

/** How many SMS of 70 or 160 units a text needs; several have 67 or 153 units each. */
export function countSmsParts(message) {
  let units = 0;
  for (const character of message) {
    if (GSM_BASIC.includes(character)) units += 1;
    else if (GSM_EXTENDED.includes(character)) units += 2;
    else return countParts(message.length, 70, 67); // UTF-16 units, as UCS-2 counts
  }
  return countParts(units, 160, 153);
}

/** The pieces of a reply for `channel`: an SMS has no empty lines. */
export function adaptToChannel(drawn, channel) {
  if (channel !== "sms") return drawn;
  return drawn.map((piece) =>
    typeof piece === "string" ? piece.replace(/\n[ \t]*(?:\n[ \t]*)+/g, "\n") : piece,
  );
}

function sms(message, count) {
  const parts = countSmsParts(message);
  return { text: `${count} 字 · 短信 ${parts} 条`, over: parts > 1 };
}

function limited(count, size, limit, description) {
  const over = size > limit;
  return { text: `${count} 字 · ${description}${over ? "，太长了" : ""}`, over };
}

function countParts(units, single, several) {
  return units <= single ? 1 : Math.ceil(units / several);
}
