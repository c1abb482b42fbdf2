import assert from "node:assert/strict";
import { test } from "node:test";
import { insertionAt } from "../../static/admin-kb/insertion.js";

function inserted(text) {
  const caret = text.indexOf("^");
  const before = text.replace("^", "");
  return before.slice(0, caret) + insertionAt(before, caret, "![图](1)") + before.slice(caret);
}

test("a picture stands on a line of its own, within the step of the caret", () => {
  assert.equal(inserted("^"), "![图](1)");
  assert.equal(inserted("甲^"), "甲\n![图](1)");
  assert.equal(inserted("甲\n^"), "甲\n![图](1)");
  assert.equal(inserted("甲^乙"), "甲\n![图](1)\n乙");
  assert.equal(inserted("1. 点退货^"), "1. 点退货\n   ![图](1)");
  assert.equal(inserted("1. 点退货\n^\n2. 寄回"), "1. 点退货\n   ![图](1)\n2. 寄回");
  assert.equal(inserted("- 点退货\n  ^"), "- 点退货\n  \n![图](1)");
});
