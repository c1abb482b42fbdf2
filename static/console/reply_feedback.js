// 反馈 on a reply, without leaving the search; the form works without this file.

import { isComposing } from "../shared/composing.js";
import { fetchSignedIn } from "../shared/sign_in.js";

const SIGNED_OUT = 401;
const REASONS = {
  [SIGNED_OUT]: "还没有登录，没有发送。内容还在。",
  404: "这条话术刚刚下线了。",
};
const PREFIX = "kb-console-remark-";
const panes = document.getElementById("panes");
const box = document.getElementById("q");

/** What the agent looks at: the variant whose tab is open. */
function shown(form) {
  return form.closest(".preview").querySelector(".variant:not([hidden])")?.dataset.reply ?? "";
}

function body(form) {
  const sent = new URLSearchParams(new FormData(form));
  sent.set("q", box.value.trim());
  sent.set("bare", "1");
  return sent;
}

/** Where the words of `form` are kept, for this agent and this entry, until they are sent. */
function storeOf(form) {
  return `${PREFIX}${document.getElementById("ask").dataset.owner}-${form.closest(".preview").dataset.entry}`;
}

function keep(form) {
  const typed = [...new FormData(form)].filter(
    ([name]) => !["csrfmiddlewaretoken", "reply"].includes(name),
  );
  try {
    sessionStorage.setItem(storeOf(form), JSON.stringify(typed));
  } catch {
    // Storage is full or forbidden: the words last as long as the form.
  }
}

/** The list came anew, and the form with it: what was typed stands in it again. */
function restore(form) {
  try {
    for (const [name, value] of JSON.parse(sessionStorage.getItem(storeOf(form)) ?? "[]")) {
      const field = form.elements[name];
      if (field && !field.value) field.value = value;
    }
  } catch {
    // Nothing is kept.
  }
}

async function send(form) {
  const told = form.querySelector("[data-told]");
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  told.textContent = "正在发送……";
  try {
    const response = await fetchSignedIn(form.action, () => ({ method: "POST", body: body(form) }));
    const { status = SIGNED_OUT } = response ?? {};
    const answer = [201, 400].includes(status) ? await response.text() : "";
    if (status === 201) thank(form, answer);
    else told.textContent = answer || (REASONS[status] ?? "没能发送，请再试一次。");
  } catch {
    told.textContent = "网络不通，没有发送，请再试一次。";
  } finally {
    delete form.dataset.busy;
  }
}

function thank(form, said) {
  const details = form.closest("details");
  sessionStorage.removeItem(storeOf(form));
  form.reset();
  form.querySelector("[data-told]").textContent = "";
  details.open = false;
  const line = document.getElementById("said");
  line.className = "ok";
  line.textContent = said;
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
  if (form) keep(form);
});

panes?.addEventListener("keydown", (event) => {
  const form = event.target.closest?.(".reply-feedback form");
  if (!form || isComposing(event)) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    event.stopPropagation(); // it is none of the console's keys here
    form.requestSubmit();
  } else if (event.key === "Escape") {
    form.closest("details").open = false; // the console gives the focus to the box
  }
});

panes?.addEventListener(
  "toggle",
  (event) => {
    if (!event.target.matches(".reply-feedback") || !event.target.open) return;
    const select = event.target.querySelector("select[name=reply]");
    const open = [...(select?.options ?? [])].find((option) => option.value === shown(select));
    if (open) open.selected = true;
    restore(event.target.querySelector("form"));
    event.target.querySelector("[type=radio]").focus();
  },
  true, // it does not bubble
);
