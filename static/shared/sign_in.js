// Sign in again without leaving the page. Nothing that was typed is lost.
//
// The page names its user in <meta name="signed-in">; see templates/shared/_keep_draft.html.

import { parseTrustedHtml } from "./html.js";
import { isJson, NetworkError, post, ResponseError, request, TimeoutError } from "./http.js";

const STATUS_TIMEOUT_MS = 5000;
const page = document.querySelector('meta[name="signed-in"]')?.dataset ?? {};
let pending = null; // one dialog at a time: all callers wait for the same result

/** The id of the user this page was made for; "" for an anonymous visitor. */
export const pageUser = page.user ?? "";

/** Return {user, token}: who is signed in now, and a fresh CSRF token. Throws NetworkError. */
export async function fetchSession() {
  const options = { cache: "no-store", timeoutMs: STATUS_TIMEOUT_MS };
  const response = await request(page.status, options);
  if (!response.ok) throw new ResponseError(response);
  return response.json();
}

/** Put a fresh CSRF token wherever the page holds one. */
export function refreshToken(token) {
  for (const input of document.querySelectorAll("input[name=csrfmiddlewaretoken]"))
    input.value = token;
  for (const element of document.querySelectorAll("[data-token]")) element.dataset.token = token;
}

/**
 * Resolve to whether the user of this page is signed in, after a dialog where needed.
 *
 * Throws NetworkError. Resolves to true when the server cannot say: the next request finds out.
 */
export function ensureSignedIn() {
  pending ??= settle().finally(() => (pending = null));
  return pending;
}

/**
 * Fetch `address` with the options that `options` returns; sign in and retry once where needed.
 *
 * `options` is called anew for the retry, so that it reads the fresh token from the page.
 * Resolves to null when the user chose not to sign in. Throws NetworkError and AbortError.
 */
export async function fetchSignedIn(address, options = () => ({})) {
  const response = await request(address, options());
  const isRefused = response.status === 403;
  if (!isRefused && !isLogin(response)) return response;
  if (!(await ensureSignedIn())) return null; // otherwise the token is fresh now
  return request(address, options());
}

/** Thrown where the user has to be signed in and is not. */
export class SignedOutError extends Error {
  name = "SignedOutError";
  status = 401;
}

/** Whether `response` is a redirect to the login page. */
export function isLogin(response) {
  return response.redirected && new URL(response.url).pathname === page.login;
}

async function settle() {
  if (!page.status) return true;
  let session;
  try {
    session = await fetchSession();
  } catch (error) {
    const isBusy = error instanceof TimeoutError || !(error instanceof NetworkError);
    if (isBusy) return true; // or an older server without this address
    throw error;
  }
  if (session.user === pageUser) {
    refreshToken(session.token);
    return true;
  }
  if (session.user) return reloadForOtherUser();
  const signedIn = await askToSignIn(session.token);
  if (!signedIn) return false;
  if (signedIn.user !== pageUser) return reloadForOtherUser();
  refreshToken(signedIn.token);
  return true;
}

/** Another user signed in: they must not see what this page shows. */
function reloadForOtherUser() {
  location.reload();
  return false;
}

/** Resolve to {user, token} after the dialog, or to null when it was closed. */
function askToSignIn(token) {
  const dialog = makeDialog();
  const form = dialog.querySelector("form");
  const { username, password } = form.elements;
  const alert = dialog.querySelector("[role=alert]");
  const before = document.activeElement;
  document.body.append(dialog);
  dialog.showModal();
  (username.value ? password : username).focus();

  return new Promise((resolve) => {
    let busy = false;
    let result = null;
    for (const kind of ["keydown", "input", "click", "pointerdown"]) {
      dialog.addEventListener(kind, (event) => event.stopPropagation()); // no keys of the page
    }
    dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      before?.focus?.({ preventScroll: true });
      resolve(result);
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      if (busy) return;
      busy = true;
      const answer = await signIn({ username: username.value, password: password.value, token });
      busy = false;
      if (answer.user) {
        result = answer;
        dialog.close();
        return;
      }
      alert.textContent = answer.error;
      alert.hidden = false;
      password.select();
      password.focus();
    });
  });
}

/** Return {user, token}, or {error: message}. */
async function signIn({ username, password, token }) {
  const body = new URLSearchParams({
    username,
    password,
    next: page.status,
    csrfmiddlewaretoken: token,
  });
  try {
    const response = await post(page.login, body);
    if (isJson(response)) return await response.json();
    const answer = new DOMParser().parseFromString(await response.text(), "text/html");
    const errors = [...answer.querySelectorAll("main [role=alert], main .errorlist li")];
    const messages = errors.map((error) => error.textContent.trim()).filter(Boolean);
    return { error: messages.join(" ") || "没能登录，请在新窗口登录后再试。" };
  } catch {
    return { error: "网络不通，请稍后再试。" };
  }
}

function makeDialog() {
  const dialog = document.createElement("dialog");
  dialog.className = "sign-in card";
  dialog.setAttribute("aria-labelledby", "sign-in-title");
  dialog.append(
    parseTrustedHtml(`<form class="stack" method="post" novalidate>
    <h2 id="sign-in-title">登录已过期</h2>
    <p>写好的内容都还在。重新登录后接着做。</p>
    <p class="notice bad small" role="alert" hidden></p>
    <div class="field"><label for="sign-in-username">用户名</label><input id="sign-in-username" name="username" autocomplete="username" maxlength="150"></div>
    <div class="field"><label for="sign-in-password">密码</label><input id="sign-in-password" name="password" type="password" autocomplete="current-password" maxlength="1024"></div>
    <div class="row"><button class="button primary" type="submit">登录</button><button class="button" type="button" data-cancel>先不登录</button><a class="small" target="_blank" rel="noopener">在新窗口登录</a></div>
  </form>`),
  );
  dialog.querySelector("a").href = page.login;
  dialog.querySelector("[name=username]").value = page.username ?? "";
  return dialog;
}
