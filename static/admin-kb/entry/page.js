// The page of an entry: autosave, checks and preview. The form works without it.

import "./conflict.js";
import { startAutosave } from "./autosave.js";
import { showFindings } from "./findings.js";
import { showPreview } from "./preview.js";
import "./phrasings.js";

const aside = document.querySelector("#writing");
if (aside) {
  document.querySelector("#entry_form").classList.add("with-writing");
  aside.classList.add("scripted");
  showPreview(aside);
  showFindings(aside);
  startAutosave(aside);
}
