// When values belong to the customer of a new message, and which must be asked for anew.

// Names of blanks whose value is never taken over to a new message: sent to the wrong person,
// these do harm that cannot be taken back.
const NEVER_CARRIED = new RegExp(
  "地址|住址|门牌|收件|收货|寄件|取件|姓名|名字|真名|电话|手机|座机|联系方式|邮箱|微信号|" +
    "身份证|证件|银行|卡号|账号|账户|帐号|户名|密码|验证码|取件码|提货码|" +
    "金额|余额|面额|款额|总额|价|应付|实付|应退|实退|元数|多少钱|差额|运费|" +
    "(?:退款|退回|赔付|赔偿|补偿|补贴|返现|红包|优惠|抵扣|定金|尾款)(?:数|额)?$",
  "u",
);
// Names of blanks whose value says who somebody is, however short it is.
const TELLS_WHO = /称呼|姓|名|昵称|旺旺|微信|账号|帐号|收件|收货|地址/u;
const NUMBER_LIKE = /[0-9a-z]{4,}/u; // of an order, a parcel, a phone

/** Whether the value of a blank with this name is never taken over to a new message. */
export function isNeverCarried(name) {
  return NEVER_CARRIED.test(name);
}

/** Whether `text` holds `value`, whatever its width, case and spacing. */
export function holdsValue(text, value) {
  const wanted = plain(value);
  return wanted.length > 1 && plain(text).includes(wanted);
}

/** Whether `text` holds one of `values` that tells its customer from others. */
export function sharesValue(text, values) {
  return [...values].some(([name, value]) => tellsWho(name, value) && holdsValue(text, value));
}

/** Whether `after` is `before` written on, shortened or corrected, and no other message. */
export function isContinuation(before, after) {
  const [old, now] = [[...before.trim()], [...after.trim()]];
  if (!old.length) return false;
  const shorter = Math.min(old.length, now.length);
  let head = 0;
  while (head < shorter && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  return head + tail === shorter || 2 * (head + tail) >= Math.max(old.length, now.length);
}

function tellsWho(name, value) {
  const text = plain(value);
  return NUMBER_LIKE.test(text) || (TELLS_WHO.test(name) && text.length > 1);
}

function plain(text) {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\s\p{P}\p{S}]/gu, "");
}
