// What fits into a message: each channel counts in its own way.

// The basic characters of GSM 03.38, and those of its extension, which count twice.
const BASIC =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡" +
  "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED = "^{}\\[~]|€\f";
const WECHAT = 2048; // bytes of UTF-8 that a message of customer service may have
const QIANNIU = 1000; // characters; nobody publishes the limit, this stays well below

/** {text, over}: how long `message` is on `channel`, and whether that is too long. */
export function measured(message, channel) {
  const count = [...message].length;
  if (channel === "sms") return sms(message, count);
  if (channel === "wechat") {
    const bytes = new TextEncoder().encode(message).length;
    return limited(count, bytes, WECHAT, `微信 ${bytes}/${WECHAT} 字节`);
  }
  if (channel === "qianniu") return limited(count, count, QIANNIU, `千牛最多 ${QIANNIU} 字`);
  return { text: `${count} 字`, over: false };
}

/** How many messages of 70 or 160 a text makes; several hold 67 or 153 each. */
export function segments(message) {
  let units = 0;
  for (const character of message) {
    if (BASIC.includes(character)) units += 1;
    else if (EXTENDED.includes(character)) units += 2;
    else return split(message.length, 70, 67); // UTF-16 units, as UCS-2 counts
  }
  return split(units, 160, 153);
}

/** The pieces of a reply as `channel` wants them: a text message has no empty lines. */
export function shaped(drawn, channel) {
  if (channel !== "sms") return drawn;
  return drawn.map((piece) =>
    typeof piece === "string" ? piece.replace(/\n[ \t]*(?:\n[ \t]*)+/g, "\n") : piece,
  );
}

function sms(message, count) {
  const parts = segments(message);
  return { text: `${count} 字 · 短信 ${parts} 条`, over: parts > 1 };
}

function limited(count, size, limit, told) {
  const over = size > limit;
  return { text: `${count} 字 · ${told}${over ? "，太长了" : ""}`, over };
}

function split(units, one, several) {
  return units <= one ? 1 : Math.ceil(units / several);
}
