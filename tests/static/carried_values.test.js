import assert from "node:assert/strict";
import { test } from "node:test";
import {
  containsIdentifyingValue,
  containsValue,
  isContinuation,
  isNeverCarried,
} from "../../static/console/carried_values.js";

test("what harms when it is sent to somebody else is never carried", () => {
  for (const name of ["收货地址", "联系电话", "客户姓名", "退款金额", "差价", "验证码"]) {
    assert.equal(isNeverCarried(name), true, name);
  }
  for (const name of ["订单号", "运单号", "客户称呼", "快递公司", "预计时间"]) {
    assert.equal(isNeverCarried(name), false, name);
  }
});

test("a value is recognised whatever its width, case and spacing", () => {
  assert.equal(containsValue("单号ｓｆ 1234 到哪了", "SF1234"), true);
  assert.equal(containsValue("1", "1"), false); // one character identifies nothing
});

test("only a value that says who somebody is connects two messages", () => {
  assert.equal(containsIdentifyingValue("王女士的单", new Map([["称呼", "王女士"]])), true);
  assert.equal(containsIdentifyingValue("发顺丰", new Map([["快递公司", "顺丰"]])), false);
  assert.equal(containsIdentifyingValue("20261234", new Map([["备注", "20261234"]])), true);
});

test("a message that is continued, shortened or corrected is the same", () => {
  assert.equal(isContinuation("退货运费", "退货运费谁出"), true);
  assert.equal(isContinuation("退货运费谁出", "退货"), true);
  assert.equal(isContinuation("退或运费谁出", "退货运费谁出"), true);
  assert.equal(isContinuation("退货运费", "发票怎么开"), false);
  assert.equal(isContinuation("", "发票"), false);
});
