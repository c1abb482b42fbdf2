import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  carriedNames,
  fill,
  formatValue,
  missed,
  renderValue,
  strip,
} from "../../static/console/blanks.js";

// The table that kb.text.blanks keeps, too.
const CASES = JSON.parse(readFileSync(new URL("../blank_cases.json", import.meta.url), "utf-8"));

for (const { body, pieces, values, filled, missed: names } of CASES) {
  test(`fills ${body}`, () => {
    const valuesByName = new Map(Object.entries(values));
    const value = (name) => valuesByName.get(name) ?? "";
    assert.equal(fill(pieces, value), filled);
    assert.deepEqual(missed(pieces, value), names);
  });
}

test("strips what Python strips", () => {
  assert.equal(strip("\u3000\x1f 王女士\xa0\n"), "王女士");
  assert.equal(strip("\ufeff王\u200b"), "\ufeff王\u200b"); // Python leaves these
});

test("a value that does not fit its blank gives nothing", () => {
  const choice = { name: "快递", kind: "choice", initial: "", choices: ["顺丰"], optional: false };
  assert.equal(formatValue(choice, "韵达"), "");
  assert.equal(formatValue({ ...choice, kind: "date" }, "2026-13-01"), "");
  assert.equal(formatValue({ ...choice, kind: "date" }, "2026-03-01"), "2026年3月1日");
  assert.equal(renderValue({ ...choice, optional: true }, "韵达"), "");
});

test("only values that are carried and reach the text are asked about", () => {
  const piece = (name, kind = "text") => ({ name, kind, initial: "", choices: [] });
  const values = { 单号: "SF1", 日期: "明天", 称呼: "王女士" };
  const customer = { get: (name) => values[name] ?? "", isCarried: (name) => name !== "称呼" };
  const drawn = ["亲", piece("单号"), piece("单号"), piece("日期", "date"), piece("称呼")];
  assert.deepEqual(carriedNames(drawn, customer), ["单号"]);
});
