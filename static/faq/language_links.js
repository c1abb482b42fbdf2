/* The other script, at the same place of the page: the anchor goes along. */

for (const link of document.querySelectorAll("[data-script]")) {
  link.addEventListener("click", () => {
    link.hash = location.hash;
  });
}
