// Decides which values of a customer are carried over to a new message.

// Names of blanks whose values are never carried over: sent to the wrong person they do harm.
const NEVER_CARRIED = new RegExp(
  "地址|住址|门牌|收件|收货|寄件|取件|姓名|名字|真名|电话|手机|座机|联系方式|邮箱|微信号|" +
    "身份证|证件|银行|卡号|账号|账户|帐号|户名|密码|验证码|取件码|提货码|" +
    "金额|余额|面额|款额|总额|价|应付|实付|应退|实退|元数|多少钱|差额|运费|" +
    "(?:退款|退回|赔付|赔偿|补偿|补贴|返现|红包|优惠|抵扣|定金|尾款)(?:数|额)?$",
  "u",
);
// Names of blanks whose values identify a person, even short ones.
const IDENTIFYING_NAME = /称呼|姓|名|昵称|旺旺|微信|账号|帐号|收件|收货|地址/u;
const NUMBER_LIKE = /[0-9a-z]{4,}/u; // of an order, a parcel, a phone

/** Whether the value of a blank with this name is never carried over. */
export function isNeverCarried(name) {
  return NEVER_CARRIED.test(name);
}

/** Whether `text` contains `value`, ignoring width, case and spacing. */
export function containsValue(text, value) {
  const wanted = plain(value);
  return wanted.length > 1 && plain(text).includes(wanted);
}

/** Whether `text` contains one of `values` that identifies its customer. */
export function containsIdentifyingValue(text, values) {
  return [...values].some(
    ([name, value]) => isIdentifying(name, value) && containsValue(text, value),
  );
}

/** Whether `after` is `before` continued, shortened or corrected, not another message. */
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

function isIdentifying(name, value) {
  const text = plain(value);
  return NUMBER_LIKE.test(text) || (IDENTIFYING_NAME.test(name) && text.length > 1);
}

function plain(text) {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\s\p{P}\p{S}]/gu, "");
}
