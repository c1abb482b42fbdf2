import assert from "node:assert/strict";
import { test } from "node:test";
import { adaptToChannel, countSmsParts, measureMessage } from "../../static/console/channels.js";

const MESSAGES = [
  ["", 1],
  ["a".repeat(160), 1],
  ["a".repeat(161), 2],
  ["a".repeat(306), 2],
  ["a".repeat(307), 3],
  ["€".repeat(80), 1],
  ["€".repeat(81), 2],
  ["好".repeat(70), 1],
  ["好".repeat(71), 2],
  ["好".repeat(134), 2],
  ["好".repeat(135), 3],
  ["😀".repeat(35), 1],
  ["😀".repeat(36), 2],
  [`${"a".repeat(69)}好`, 1],
  [`${"a".repeat(70)}好`, 2],
];

for (const [message, count] of MESSAGES) {
  test(`${message.slice(0, 2)} × ${message.length} makes ${count} text messages`, () => {
    assert.equal(countSmsParts(message), count);
  });
}

test("each channel has its own limit", () => {
  assert.deepEqual(measureMessage("好".repeat(682), "wechat").over, false); // 2046 bytes
  assert.deepEqual(measureMessage("好".repeat(683), "wechat").over, true);
  assert.deepEqual(measureMessage("好".repeat(1000), "qianniu").over, false);
  assert.deepEqual(measureMessage("好".repeat(1001), "qianniu").over, true);
  assert.deepEqual(measureMessage("好".repeat(71), "sms"), {
    text: "71 字 · 短信 2 条",
    over: true,
  });
  assert.deepEqual(measureMessage("😀".repeat(9999), ""), { text: "9999 字", over: false });
});

test("a text message has no empty lines, and blanks stay as they are", () => {
  const blank = { name: "单号" };
  assert.deepEqual(adaptToChannel(["甲\n\n \t\n乙", blank], "sms"), ["甲\n乙", blank]);
  assert.deepEqual(adaptToChannel(["甲\n\n乙"], "wechat"), ["甲\n\n乙"]);
});
