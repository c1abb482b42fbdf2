import assert from "node:assert/strict";
import { test } from "node:test";
import { BasketItems, MAX_ITEMS } from "../../static/console/basket_items.js";

function memory() {
  const texts = new Map();
  return {
    getItem: (key) => texts.get(key) ?? null,
    setItem: (key, text) => texts.set(key, text),
  };
}

function basketOf(titles, storage = memory(), now = () => 0) {
  const basket = new BasketItems(() => storage, "basket", now);
  for (const title of titles) basket.add({ title, drawn: [title] });
  return basket;
}

const titlesOf = ({ items }) => items.map(({ title }) => title).join("");

test("what is added comes last and is current", () => {
  const basket = basketOf(["甲", "乙"]);
  assert.equal(titlesOf(basket), "甲乙");
  assert.equal(basket.at, 1);
});

test("an item moves between the ends and stays current", () => {
  const basket = basketOf(["甲", "乙", "丙"]);
  assert.equal(basket.move(-1), true);
  assert.equal(titlesOf(basket), "甲丙乙");
  assert.equal(basket.at, 1);
  assert.equal(basket.move(-1, 0), false);
  assert.equal(basket.move(1, 2), false);
  assert.equal(titlesOf(basket), "甲丙乙");
});

test("an item is taken out by its place", () => {
  const basket = basketOf(["甲", "乙", "丙"]);
  basket.remove(0);
  assert.equal(titlesOf(basket), "乙丙");
  basket.remove();
  assert.equal(titlesOf(basket), "乙");
});

test("what was undone comes back before what was added since, each once", () => {
  const basket = basketOf(["甲", "乙"]);
  const before = basket.items;
  basket.replace([before[1]]);
  basket.add({ title: "丙", drawn: ["丙"] });
  basket.addMissing(before);
  assert.equal(titlesOf(basket), "甲乙丙");
});

test("it survives a reload for an hour", () => {
  const storage = memory();
  basketOf(["甲"], storage);
  assert.equal(titlesOf(basketOf([], storage, () => 3_599_999)), "甲");
  assert.equal(titlesOf(basketOf([], storage, () => 3_600_000)), "");
});

test("it holds as many as the server takes", () => {
  const basket = basketOf(Array(MAX_ITEMS).fill("甲"));
  assert.equal(basket.isFull, true);
  basket.remove();
  assert.equal(basket.isFull, false);
});

test("it lasts as long as the page where storage is forbidden or broken", () => {
  const forbidden = () => {
    throw new Error("SecurityError");
  };
  const basket = new BasketItems(forbidden, "basket");
  basket.add({ title: "甲", drawn: ["甲"] });
  assert.equal(titlesOf(basket), "甲");
  const storage = memory();
  storage.setItem("basket", "{");
  assert.equal(titlesOf(basketOf([], storage)), "");
});
