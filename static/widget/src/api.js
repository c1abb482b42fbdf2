// Requests to the help site, without cookie and referrer, and with a time limit.

import { request, UPLOAD_TIMEOUT_MS } from "../../shared/http.js";
import { currentLanguage, translate } from "./language.js";
import { siteOrigin } from "./site.js";

export const MAX_QUERY_CHARS = 200;
const TIMEOUT_MS = 15_000;

/** Thrown for an error response; `answer` is its JSON. */
class RefusedError extends Error {
  constructor(answer) {
    super(answer.detail);
    this.answer = answer;
  }
}

/**
 * Return the JSON at /widget/`path`; a `body` is posted.
 *
 * Throws RefusedError, NetworkError, SyntaxError where the response is not JSON, and AbortError.
 */
export async function call(path, query, { body, signal } = {}) {
  const url = new URL(`/widget/${path}`, siteOrigin);
  const language = currentLanguage();
  const parameters = { ...query, lang: language === "zh-Hans" ? "" : language };
  for (const [key, value] of Object.entries(parameters)) {
    if (value) url.searchParams.set(key, value);
  }
  const response = await request(url, {
    ...(body && { method: "POST", body }),
    credentials: "omit",
    referrerPolicy: "no-referrer",
    timeoutMs: body ? UPLOAD_TIMEOUT_MS : TIMEOUT_MS,
    signal,
  });
  const answer = await response.json();
  if (!response.ok) throw new RefusedError(answer);
  return answer;
}

/** The message to show for `error`. */
export function reasonOf(error) {
  return error.answer?.detail || translate("unreachable");
}
