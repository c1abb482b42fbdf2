// In which language the widget speaks: the reader's choice, else the host's page.

import { attributes, strings } from "./site.js";

export const LANGUAGES = [
  ["zh-Hans", "简体"],
  ["zh-Hant", "繁體"],
  ["en", "English"],
];
const TRADITIONAL = /^zh-(hant|tw|hk|mo)/i;
const ENGLISH = /^en\b/i;
let chosen = ""; // by the reader
let current = wantedLanguage();

/** The language tag of what is shown now. */
export function currentLanguage() {
  return current;
}

/** The text `name` in the language of now; see the table in kb.faq.widget_script. */
export function translate(name) {
  return strings[current][name];
}

/** Prefer `tag` over what the host's page says. */
export function chooseLanguage(tag) {
  chosen = tag;
}

/** Follow the reader's choice and the page; return whether the language changed. */
export function updateLanguage() {
  const before = current;
  current = wantedLanguage();
  return current !== before;
}

function wantedLanguage() {
  const wanted = chosen || attributes.lang || document.documentElement.lang;
  if (TRADITIONAL.test(wanted)) return "zh-Hant";
  return ENGLISH.test(wanted) ? "en" : "zh-Hans";
}
