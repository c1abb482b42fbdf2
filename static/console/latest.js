// One answer at a time: a newer question silences the older ones.

import { fetchSignedIn, isLogin } from "../shared/sign_in.js";

/** Thrown when the server answered with something that cannot be shown. */
export class Refused extends Error {
  constructor(status) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** Return the HTML at `address` as a fragment. Throws Refused, TypeError, AbortError. */
export async function fetchFragment(address, signal) {
  const response = await fetchSignedIn(address, () => ({ signal }));
  if (!response || isLogin(response)) throw new Refused(401);
  if (!response.ok) throw new Refused(response.status);
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  return template.content;
}

/** Fetches fragments; only the last one asked for arrives. */
export class Latest {
  constructor() {
    this.controller = new AbortController();
  }

  async get(address) {
    this.controller.abort();
    const { signal } = (this.controller = new AbortController());
    const fragment = await fetchFragment(address, signal);
    signal.throwIfAborted();
    return fragment;
  }
}
