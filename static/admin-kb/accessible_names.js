// Accessible names for fields that Django and Select2 leave without one: their header or label.

function header(field) {
  const cell = field.closest(".tabular td");
  const heads = [...(cell?.closest("table").querySelectorAll("thead th") ?? [])];
  if (cell?.classList.contains("delete")) return heads.at(-1);
  const name = cell?.className.match(/field-(\w+)/)?.[1];
  return heads.find((head) => head.classList.contains(`column-${name}`));
}

function label(field) {
  const element = field.labels?.[0] ?? header(field);
  if (element) element.id ||= `${field.id}_name`;
  return element;
}

function nameLookup(select) {
  const box = select.nextElementSibling?.querySelector(".select2-selection");
  const name = label(select);
  if (!box || !name) return;
  const shown = box.querySelector(".select2-selection__rendered");
  if (select.multiple) {
    box.querySelector(".select2-search__field").setAttribute("aria-labelledby", name.id);
  } else {
    box.setAttribute("aria-labelledby", `${name.id} ${shown.id}`);
    shown.setAttribute("aria-labelledby", name.id);
  }
}

function nameAll(root) {
  root.querySelectorAll("select.admin-autocomplete").forEach(nameLookup);
  for (const field of root.querySelectorAll(
    ".tabular td :is(input:not([type=hidden]), select:not(.admin-autocomplete), textarea)",
  )) {
    if (!field.labels.length && header(field))
      field.setAttribute("aria-labelledby", label(field).id);
  }
}

// The row of models scrolls sideways on a phone: bring the current one into view.
document
  .querySelector("#models [aria-current]")
  ?.scrollIntoView({ block: "nearest", inline: "center" });

function begin() {
  for (const head of document.querySelectorAll("th.original:empty")) {
    const hint = document.createElement("span");
    hint.className = "visually-hidden";
    hint.textContent = "这一行";
    head.append(hint);
  }
  nameAll(document);
  window.django?.jQuery(document).on("select2:open", (event) => {
    const field = document.querySelector(".select2-dropdown .select2-search__field");
    field?.setAttribute("aria-labelledby", label(event.target)?.id ?? "");
  });
}

// Select2 makes its boxes when jQuery is ready; handlers run in the order of registration.
if (window.django?.jQuery) window.django.jQuery(begin);
else begin();
document.addEventListener("formset:added", (event) => nameAll(event.target));
