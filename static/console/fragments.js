// Fetches fragments of HTML; a newer request cancels the older one.

import { parseTrustedHtml } from "../shared/html.js";
import { LatestRequest, ResponseError } from "../shared/http.js";
import { fetchSignedIn, isLogin, SignedOutError } from "../shared/sign_in.js";

/**
 * Return the HTML at `address` as a fragment.
 *
 * Throws SignedOutError, ResponseError, NetworkError and AbortError.
 */
export async function fetchFragment(address, signal) {
  const response = await fetchSignedIn(address, () => ({ signal }));
  if (!response || isLogin(response)) throw new SignedOutError();
  if (!response.ok) throw new ResponseError(response);
  return parseTrustedHtml(await response.text());
}

/** Fetches fragments; only the last requested one arrives. */
export class LatestFragment extends LatestRequest {
  async get(address) {
    const signal = this.next();
    const fragment = await fetchFragment(address, signal);
    signal.throwIfAborted();
    return fragment;
  }
}
