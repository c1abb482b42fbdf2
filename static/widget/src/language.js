// The language of the widget: the reader's choice, else that of the host's page.

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

/** The tag of the current language. */
export function currentLanguage() {
  return current;
}

/** The text `name` in the current language; see TEXTS in kb/web/faq/widget_script.py. */
export function translate(name) {
  return strings[current][name];
}

/** Use the language `tag` instead of that of the host's page. */
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
