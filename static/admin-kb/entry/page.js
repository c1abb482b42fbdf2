// The page of an entry: what helps while writing. Without it the form works all the same.

import "./conflict.js";
import { keepTyped } from "./autosave.js";
import { showFindings } from "./findings.js";
import { showPreview } from "./preview.js";
import "./phrasings.js";

const aside = document.querySelector("#writing");
if (aside) {
  document.querySelector("#entry_form").classList.add("with-writing");
  aside.classList.add("scripted");
  showPreview(aside);
  showFindings(aside);
  keepTyped(aside);
}
