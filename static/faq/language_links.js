/* Links to other languages keep the anchor, so that the reader stays at the same place. */

for (const link of document.querySelectorAll("[data-script]")) {
  link.addEventListener("click", () => {
    link.hash = location.hash;
  });
}
