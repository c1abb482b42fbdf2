// Sends feedback on a reply without leaving the page; the form works without this script.

import { isComposing } from "../shared/composing.js";
import { fetchSignedIn } from "../shared/sign_in.js";

const SIGNED_OUT = 401;
const REASONS = {
  [SIGNED_OUT]: "还没有登录，没有发送。内容还在。",
  404: "这条话术刚刚下线了。",
};
const PREFIX = "kb-console-feedback-";
const panes = document.getElementById("panes");
const box = document.getElementById("q");

/** The id of the reply whose tab is open. */
function getOpenReply(form) {
  return form.closest(".preview").querySelector(".variant:not([hidden])")?.dataset.reply ?? "";
}

function makeBody(form) {
  const body = new URLSearchParams(new FormData(form));
  body.set("q", box.value.trim());
  body.set("bare", "1");
  return body;
}

/** The storage key of the draft in `form`, for this agent and this entry. */
function draftKey(form) {
  return `${PREFIX}${document.getElementById("search-form").dataset.owner}-${form.closest(".preview").dataset.entry}`;
}

function saveDraft(form) {
  const typed = [...new FormData(form)].filter(
    ([name]) => !["csrfmiddlewaretoken", "reply"].includes(name),
  );
  try {
    sessionStorage.setItem(draftKey(form), JSON.stringify(typed));
  } catch {
    // Storage is full or forbidden: the words last as long as the form.
  }
}

/** Fill a form that was loaded again with its draft. */
function restoreDraft(form) {
  try {
    for (const [name, value] of JSON.parse(sessionStorage.getItem(draftKey(form)) ?? "[]")) {
      const field = form.elements[name];
      if (field && !field.value) field.value = value;
    }
  } catch {
    // There is no draft.
  }
}

async function send(form) {
  const statusLine = form.querySelector("[data-status]");
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  statusLine.textContent = "正在发送……";
  try {
    const response = await fetchSignedIn(form.action, () => ({
      method: "POST",
      body: makeBody(form),
    }));
    const { status = SIGNED_OUT } = response ?? {};
    const answer = [201, 400].includes(status) ? await response.text() : "";
    if (status === 201) thank(form, answer);
    else statusLine.textContent = answer || (REASONS[status] ?? "没能发送，请再试一次。");
  } catch {
    statusLine.textContent = "网络不通，没有发送，请再试一次。";
  } finally {
    delete form.dataset.busy;
  }
}

function thank(form, message) {
  const details = form.closest("details");
  sessionStorage.removeItem(draftKey(form));
  form.reset();
  form.querySelector("[data-status]").textContent = "";
  details.open = false;
  const line = document.getElementById("status-message");
  line.className = "ok";
  line.textContent = message;
  box.focus();
}

panes?.addEventListener("submit", (event) => {
  const form = event.target.closest(".reply-feedback form");
  if (!form) return;
  event.preventDefault();
  send(form);
});

panes?.addEventListener("input", (event) => {
  const form = event.target.closest(".reply-feedback form");
  if (form) saveDraft(form);
});

panes?.addEventListener("keydown", (event) => {
  const form = event.target.closest?.(".reply-feedback form");
  if (!form || isComposing(event)) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    event.stopPropagation(); // the console must not handle this key
    form.requestSubmit();
  } else if (event.key === "Escape") {
    form.closest("details").open = false; // the console then focuses the box
  }
});

panes?.addEventListener(
  "toggle",
  (event) => {
    if (!event.target.matches(".reply-feedback") || !event.target.open) return;
    const select = event.target.querySelector("select[name=reply]");
    const open = [...(select?.options ?? [])].find(
      (option) => option.value === getOpenReply(select),
    );
    if (open) open.selected = true;
    restoreDraft(event.target.querySelector("form"));
    event.target.querySelector("[type=radio]").focus();
  },
  true, // it does not bubble
);
