// The answer form: shows who else is answering, autosaves the text, and counts down the
// seconds in which an answer can be taken back. The pages work without this file.

import { request, requireOk } from "../shared/http.js";
import { ensureSignedIn, refreshToken } from "../shared/sign_in.js";

const HEARTBEAT_MS = 15_000; // between two reports of presence
const AUTOSAVE_DELAY_MS = 1_200; // after the last key
const form = document.querySelector("form[data-presence]");
const box = form?.elements.answer;
let savedText = box?.value;
let timer = 0;
let isSending = false;
let isReporting = false;

function showNotice(selector, names) {
  const notice = document.querySelector(selector);
  if (!notice) return;
  const place = notice.querySelector("[data-names]");
  if (place && names) place.textContent = names;
  notice.hidden = names === "";
}

function setStatus(text) {
  form.querySelector("[data-saved]").textContent = text;
}

async function fetchPresence(options) {
  const always = { redirect: "manual", cache: "no-store" }; // the login page is a redirect
  const response = await request(form.dataset.presence, { ...always, ...options });
  return requireOk(response).json();
}

function buildBody(fields) {
  return new URLSearchParams({
    csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value,
    ...fields,
  });
}

// A new login has a new CSRF token: fetch it, and try once more.
async function postPresence(fields) {
  try {
    return await fetchPresence({ method: "POST", body: buildBody(fields) });
  } catch (error) {
    if (error.status !== 403) throw error;
    refreshToken((await fetchPresence({})).token);
    return fetchPresence({ method: "POST", body: buildBody(fields) });
  }
}

async function reportPresence() {
  clearTimeout(timer);
  if (document.hidden || isSending) return;
  if (isReporting) return reportSoon(); // after the request that is running
  isReporting = true;
  const text = box.value;
  const isChanged = text !== savedText;
  try {
    const state = await postPresence(isChanged ? { answer: text } : {});
    if (isChanged) showSaved(text);
    showState(state);
  } catch (error) {
    showFailure(error, isChanged);
  }
  isReporting = false;
  clearTimeout(timer);
  timer = setTimeout(reportPresence, box.value === text ? HEARTBEAT_MS : AUTOSAVE_DELAY_MS); // typed meanwhile
}

function showSaved(text) {
  savedText = text;
  if (text) setStatus("已暂存。");
}

/** Show who else is answering, and whether the question is answered. */
function showState(state) {
  showNotice("[data-lost]", "");
  showNotice("[data-others]", (state.others ?? []).join("、"));
  showNotice("[data-answered]", state.gone ? "同事" : state.who);
  if (state.token) refreshToken(state.token);
}

function showFailure(error, isChanged) {
  if (error.isRedirected) showNotice("[data-lost]", "x");
  else if (isChanged) setStatus("暂存不了，网络可能断了；您写的还在框里。");
}

function reportSoon() {
  clearTimeout(timer);
  timer = setTimeout(reportPresence, AUTOSAVE_DELAY_MS);
}

function leave() {
  if (!isSending)
    navigator.sendBeacon?.(
      form.dataset.presence,
      buildBody(box.value === savedText ? { left: "1" } : { left: "1", answer: box.value }),
    );
}

if (form) {
  box.addEventListener("input", (event) => {
    if (!event.isComposing) reportSoon();
  });
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return; // the session is checked first
    isSending = true;
    clearTimeout(timer);
  });
  document.addEventListener("visibilitychange", () =>
    document.hidden ? leave() : reportPresence(),
  );
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", () => {
    isSending = false;
  });
  document.querySelector("[data-sign-in]")?.addEventListener("click", async () => {
    if (await ensureSignedIn().catch(() => false)) reportPresence();
  });
  reportPresence();
}

// Count down the seconds in which an answer can be taken back.
for (const notice of document.querySelectorAll("[data-held]")) {
  const end = performance.now() + Number(notice.dataset.held) * 1000;
  const number = notice.querySelector("[data-seconds]");
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    if (left > 0) {
      number.textContent = left;
      setTimeout(tick, 250);
      return;
    }
    notice.querySelector("[role=status]").textContent = notice.dataset.after;
    notice.querySelector("button").remove();
  };
  tick();
}
