// Answering customers: who else is at it, what is typed is kept, what was sent can be
// taken back while the seconds run. Without this file everything works by hand.

import { request, requireOk } from "../shared/http.js";
import { ensureSignedIn, refreshToken } from "../shared/sign_in.js";

const BEAT = 15_000; // ms between two signs of life
const PAUSE = 1_200; // ms without a key after which the text is kept
const form = document.querySelector("form[data-presence]");
const box = form?.elements.answer;
let kept = box?.value;
let timer = 0;
let isSending = false;
let isBeating = false;

function show(selector, names) {
  const notice = document.querySelector(selector);
  if (!notice) return;
  const place = notice.querySelector("[data-names]");
  if (place && names) place.textContent = names;
  notice.hidden = names === "";
}

function say(text) {
  form.querySelector("[data-saved]").textContent = text;
}

async function ask(options) {
  const always = { redirect: "manual", cache: "no-store" }; // the login page is a redirect
  const response = await request(form.dataset.presence, { ...always, ...options });
  return requireOk(response).json();
}

function body(fields) {
  return new URLSearchParams({
    csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value,
    ...fields,
  });
}

// Another login makes another token: fetch it, and try once more.
async function send(fields) {
  try {
    return await ask({ method: "POST", body: body(fields) });
  } catch (error) {
    if (error.status !== 403) throw error;
    refreshToken((await ask({})).token);
    return ask({ method: "POST", body: body(fields) });
  }
}

async function beat() {
  clearTimeout(timer);
  if (document.hidden || isSending) return;
  if (isBeating) return soon(); // after the one that is under way
  isBeating = true;
  const text = box.value;
  const isChanged = text !== kept;
  try {
    const state = await send(isChanged ? { answer: text } : {});
    if (isChanged) showKept(text);
    showState(state);
  } catch (error) {
    showFailure(error, isChanged);
  }
  isBeating = false;
  clearTimeout(timer);
  timer = setTimeout(beat, box.value === text ? BEAT : PAUSE); // typed meanwhile
}

function showKept(text) {
  kept = text;
  if (text) say("已暂存。");
}

/** Show who else is at it, and whether it is answered. */
function showState(state) {
  show("[data-lost]", "");
  show("[data-others]", (state.others ?? []).join("、"));
  show("[data-answered]", state.gone ? "同事" : state.who);
  if (state.token) refreshToken(state.token);
}

function showFailure(error, isChanged) {
  if (error.isRedirected) show("[data-lost]", "x");
  else if (isChanged) say("暂存不了，网络可能断了；您写的还在框里。");
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(beat, PAUSE);
}

function leave() {
  if (!isSending)
    navigator.sendBeacon?.(
      form.dataset.presence,
      body(box.value === kept ? { left: "1" } : { left: "1", answer: box.value }),
    );
}

if (form) {
  box.addEventListener("input", (event) => {
    if (!event.isComposing) soon();
  });
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return; // the session is checked first
    isSending = true;
    clearTimeout(timer);
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : beat()));
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", () => {
    isSending = false;
  });
  document.querySelector("[data-sign-in]")?.addEventListener("click", async () => {
    if (await ensureSignedIn().catch(() => false)) beat();
  });
  beat();
}

// The seconds in which something sent can be taken back.
for (const held of document.querySelectorAll("[data-held]")) {
  const end = performance.now() + Number(held.dataset.held) * 1000;
  const number = held.querySelector("[data-seconds]");
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    if (left > 0) {
      number.textContent = left;
      setTimeout(tick, 250);
      return;
    }
    held.querySelector("[role=status]").textContent = held.dataset.after;
    held.querySelector("button").remove();
  };
  tick();
}
