import assert from "node:assert/strict";
import { test } from "node:test";
import {
  LatestRequest,
  NetworkError,
  post,
  ResponseError,
  request,
  requireOk,
  sendInBackground,
  TimeoutError,
} from "../../static/shared/http.js";

/** Let fetch do `act` in this test; return the calls that it gets. */
function mockFetch(t, act) {
  const calls = [];
  t.mock.method(globalThis, "fetch", (address, options) => {
    calls.push({ address, ...options });
    return act(options, calls.length);
  });
  return calls;
}

/** A fetch that is answered never, only aborted. */
function pending({ signal }) {
  return new Promise((_, reject) => {
    const abort = () => reject(new DOMException("aborted", "AbortError"));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
  });
}

test("a request goes to our site with its cookie, and a change with its token", async (t) => {
  const calls = mockFetch(t, async () => new Response("好"));
  await request("/a");
  await post("/b", "x=1", { token: "secret", headers: { Accept: "text/html" } });
  assert.equal(calls[0].credentials, "same-origin");
  assert.equal(calls[0].headers, undefined);
  assert.equal(calls[1].method, "POST");
  assert.equal(calls[1].body, "x=1");
  assert.deepEqual(calls[1].headers, { Accept: "text/html", "X-CSRFToken": "secret" });
});

test("a broken connection and a late answer are NetworkErrors", async (t) => {
  mockFetch(t, () => Promise.reject(new TypeError("Failed to fetch")));
  await assert.rejects(request("/a"), NetworkError);
  t.mock.restoreAll();
  mockFetch(t, pending);
  await assert.rejects(request("/a", { timeoutMs: 1 }), TimeoutError);
  assert.equal(new TimeoutError() instanceof NetworkError, true);
});

test("what the caller aborts is an AbortError", async (t) => {
  mockFetch(t, pending);
  const controller = new AbortController();
  const answer = request("/a", { signal: controller.signal });
  controller.abort();
  await assert.rejects(answer, { name: "AbortError" });
  await assert.rejects(request("/a", { signal: controller.signal }), { name: "AbortError" });
});

test("another status, or another page in its place, is a ResponseError", () => {
  assert.throws(() => requireOk(new Response("", { status: 503 })), { status: 503 });
  const login = { ok: true, status: 200, redirected: true };
  assert.throws(() => requireOk(login), ResponseError);
  const kept = { ok: false, status: 0, type: "opaqueredirect" };
  assert.throws(() => requireOk(kept), { isRedirected: true });
});

test("of several requests only the newest is answered", async (t) => {
  mockFetch(t, (options, number) => (number === 1 ? pending(options) : new Response("新")));
  const latest = new LatestRequest();
  const older = latest.fetchText("/a");
  const newer = latest.fetchText("/b");
  await assert.rejects(older, { name: "AbortError" });
  assert.equal(await newer, "新");
});

test("an answer whose text comes after a newer request is dropped", async (t) => {
  const latest = new LatestRequest();
  mockFetch(t, () => ({
    ok: true,
    text: async () => {
      latest.abort();
      return "旧";
    },
  }));
  await assert.rejects(latest.fetchText("/a"), { name: "AbortError" });
});

test("what is sent in the background outlives the page and never fails", async (t) => {
  const calls = mockFetch(t, () => Promise.reject(new TypeError("offline")));
  sendInBackground("/picks", "q=1", "secret");
  await new Promise(setImmediate);
  assert.equal(calls[0].keepalive, true);
});
