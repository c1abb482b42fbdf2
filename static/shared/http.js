// All requests of scripts go through this module. For signing in again see sign_in.js.

const TIMEOUT_MS = 15_000;
export const UPLOAD_TIMEOUT_MS = 60_000;

/** Thrown when there is no response: network or server are down, or it took too long. */
export class NetworkError extends Error {
  name = "NetworkError";
}

/** Thrown when the server took too long to respond. */
export class TimeoutError extends NetworkError {
  name = "TimeoutError";
}

/** Thrown for a response with an error status, or a redirect to the login page. */
export class ResponseError extends Error {
  name = "ResponseError";

  constructor(response) {
    super(`status ${response.status}`);
    this.status = response.status;
    this.isRedirected = response.redirected || response.type === "opaqueredirect";
  }
}

/**
 * Send a request; return the Response, whatever its status. `token` is the CSRF token.
 *
 * Throws NetworkError, and AbortError when `signal` is aborted.
 */
export async function request(address, { timeoutMs = TIMEOUT_MS, token, signal, ...options } = {}) {
  const controller = new AbortController(); // older browsers have no AbortSignal.timeout
  const abort = () => controller.abort();
  let isTimedOut = false;
  const timer = setTimeout(() => {
    isTimedOut = true;
    abort();
  }, timeoutMs);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort); // stays: the body may still be on its way
  const headers = token ? { ...options.headers, "X-CSRFToken": token } : options.headers;
  try {
    return await fetch(address, {
      credentials: "same-origin",
      ...options,
      ...(headers && { headers }),
      signal: controller.signal,
    });
  } catch (error) {
    if (isTimedOut) throw new TimeoutError(error.message);
    // A broken connection is a TypeError of fetch.
    throw error instanceof TypeError ? new NetworkError(error.message) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Send `body` by POST; return the Response. Throws as `request` does. */
export function post(address, body, options = {}) {
  return request(address, { method: "POST", body, ...options });
}

/** Return `response` if it is successful and not redirected. Throws ResponseError. */
export function requireOk(response) {
  if (!response.ok || response.redirected) throw new ResponseError(response);
  return response;
}

/** Whether `response` says that it is JSON. */
export function isJson(response) {
  return response.headers.get("Content-Type")?.includes("json") ?? false;
}

/** Send `body` without waiting, also while the page is being left; failures are ignored. */
export function sendInBackground(address, body, token) {
  post(address, body, { token, keepalive: true }).catch(() => {});
}

/** Requests of which only the latest counts: each aborts the one before. */
export class LatestRequest {
  constructor() {
    this.controller = new AbortController();
  }

  /** Abort the current request; return the signal of the next one. */
  next() {
    this.abort();
    this.controller = new AbortController();
    return this.controller.signal;
  }

  abort() {
    this.controller.abort();
  }

  /** Send a request that replaces the current one; see `request`. */
  async send(address, options = {}) {
    const signal = this.next();
    const response = await request(address, { ...options, signal });
    signal.throwIfAborted();
    return response;
  }

  /** Send a request and return its text. Throws ResponseError. */
  async fetchText(address, options = {}) {
    const signal = this.next();
    const response = requireOk(await request(address, { ...options, signal }));
    const text = await response.text();
    signal.throwIfAborted();
    return text;
  }
}
