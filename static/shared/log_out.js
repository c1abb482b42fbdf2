// Logging out clears the browser's storage. The server sends Clear-Site-Data too, which
// browsers follow on secure addresses only.

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-log-out], #logout-form")) return;
  document.dispatchEvent(new CustomEvent("logged-out")); // listeners stop storing drafts
  try {
    localStorage.clear();
    sessionStorage.clear();
  } catch {
    // Storage is forbidden, so nothing is in it.
  }
});
