// Choosing a side fills the field at once; editing the field chooses the own side.

for (const choice of document.querySelectorAll(".conflict .choice")) {
  const target = document.querySelector("#entry_form").elements.namedItem(choice.dataset.field);
  const [mine, theirs] = choice.querySelectorAll("input");
  if (!target || !("value" in target) || target instanceof RadioNodeList) continue;
  const ownText = target.value;
  choice.addEventListener("change", () => {
    target.value = theirs.checked ? choice.dataset.theirs : ownText;
    target.dispatchEvent(new Event("input", { bubbles: true }));
  });
  target.addEventListener("input", (event) => {
    if (event.isTrusted) mine.checked = true;
  });
}
