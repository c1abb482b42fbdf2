// Updates the notices on an open page: new and ended ones within half a minute.

import { parseTrustedHtml } from "./html.js";
import { request } from "./http.js";

const POLL_MS = 20_000;
const IDLE_MS = 3_600_000; // without activity polling stops, so that the session can expire
const MAX_SEEN = 100;
const place = document.getElementById("live-notices");
const status = document.getElementById("live-notices-status");
const box = document.getElementById("q"); // the search box of the console; other pages show all notices
const seenKey = `kb-notices-seen-${place.dataset.owner}`;
let etag = "";
let activeAt = Date.now();
let isPolling = false;
let titles = new Map(
  [...document.querySelectorAll("[data-notice]")].map((notice) => [idOf(notice), titleOf(notice)]),
);

function idOf(notice) {
  return notice.dataset.notice;
}

function titleOf(notice) {
  return notice.querySelector("strong").textContent;
}

function readSeen() {
  try {
    return JSON.parse(localStorage.getItem(seenKey) ?? "[]");
  } catch {
    return [];
  }
}

function addSeen(ids) {
  try {
    localStorage.setItem(
      seenKey,
      JSON.stringify([...new Set([...readSeen(), ...ids])].slice(-MAX_SEEN)),
    );
  } catch {
    // Storage is full or forbidden: a notice is shown once more.
  }
}

async function poll() {
  if (document.hidden || isPolling || Date.now() - activeAt > IDLE_MS) return;
  isPolling = true;
  try {
    const query = box ? `?${new URLSearchParams({ q: box.value.trim() })}` : "";
    const headers = etag ? { "If-None-Match": etag } : {};
    const response = await request(place.dataset.address + query, { headers, cache: "no-store" });
    if (response.status !== 200 || response.redirected) return;
    const fragment = parseTrustedHtml(await response.text());
    etag = response.headers.get("ETag") ?? "";
    show([...fragment.querySelectorAll("[data-notice]")]);
  } catch {
    // The network is down; the next poll comes soon.
  } finally {
    isPolling = false;
  }
}

function show(notices) {
  const now = new Map(notices.map((notice) => [idOf(notice), titleOf(notice)]));
  announce(now);
  titles = now;
  if (!box) return fill(place, notices);
  const matching = notices.filter(({ dataset }) => dataset.matches === "yes");
  fillList(matching);
  if (!box.value.trim()) addSeen(matching.map(idOf)); // the list shows all of them
  const seen = readSeen();
  const fresh = notices.filter(
    (notice) => notice.dataset.matches === "no" && !seen.includes(idOf(notice)),
  );
  fill(place, fresh.map(dismissible));
}

/** Say politely what is new and what has ended. */
function announce(now) {
  const added = [...now].filter(([id]) => !titles.has(id)).map(([, title]) => title);
  const ended = [...titles].filter(([id]) => !now.has(id)).map(([, title]) => title);
  const parts = [
    added.length && `新公告：${added.join("；")}`,
    ended.length && `公告已结束：${ended.join("；")}`,
  ];
  const text = parts.filter(Boolean).join("。");
  if (text) status.textContent = text;
}

/** Replace the content of `parent`; open notices stay open. */
function fill(parent, notices) {
  const open = new Set([...parent.querySelectorAll("details[open]")].map(idOf));
  for (const notice of notices) {
    const details = notice.matches("details") ? notice : notice.querySelector("details");
    details.open = open.has(idOf(details));
  }
  parent.replaceChildren(...notices);
}

/** The notices above the list of the console. */
function fillList(notices) {
  const list = document.querySelector("#panes .results-pane");
  let section = list.querySelector(":scope > .notices");
  if (!notices.length) return section?.remove();
  if (!section) {
    section = document.createElement("section");
    section.className = "notices";
    section.setAttribute("aria-label", "公告");
    list.prepend(section);
  }
  fill(section, notices);
}

/** A notice that does not match the search, with a button that dismisses it. */
function dismissible(notice) {
  const row = document.createElement("div");
  row.className = "fresh-notice";
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "button small", textContent: "知道了" });
  button.setAttribute("aria-label", `知道了：${titleOf(notice)}`);
  button.addEventListener("click", () => {
    addSeen([idOf(notice)]);
    row.remove();
    box.focus();
  });
  row.append(notice, button);
  return row;
}

/** Remove notices above the list that the list shows now. */
function removeDuplicates() {
  for (const row of [...place.children]) {
    const id = idOf(row.querySelector("details"));
    if (document.querySelector(`#panes [data-notice="${id}"]`)) row.remove();
  }
}

const panes = document.getElementById("panes"); // only the console has them
if (box && panes) new MutationObserver(removeDuplicates).observe(panes, { childList: true });
for (const kind of ["keydown", "pointerdown"]) {
  document.addEventListener(
    kind,
    () => {
      const wasIdle = Date.now() - activeAt > IDLE_MS;
      activeAt = Date.now();
      if (wasIdle) poll();
    },
    true,
  );
}
document.addEventListener("visibilitychange", poll);
addEventListener("pageshow", poll);
setInterval(poll, POLL_MS);
