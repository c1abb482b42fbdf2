// Logging out leaves nothing of anybody in the browser. The server says so, too
// (Clear-Site-Data), but browsers obey it on secure addresses only.

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-log-out], #logout-form")) return;
  document.dispatchEvent(new CustomEvent("logged-out")); // what listens stops keeping
  try {
    localStorage.clear();
    sessionStorage.clear();
  } catch {
    // Storage is forbidden, so nothing is in it.
  }
});
