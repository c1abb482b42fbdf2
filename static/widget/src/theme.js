// The colours of the widget: design tokens, colours of the site, theme of the host's page.

import { attributes, tokens } from "./site.js";
import css from "./widget.css";

const COLOUR = /^#[0-9a-f]{6}$/;
const base = sheet(css);
const standard = { light: declarations(tokens.light), dark: declarations(tokens.dark) };
let siteColours = null;

/** Use the site's own colours: tokens of the light and of the dark theme. */
export function setSiteColours(colours) {
  if (!colours) return;
  const [light, dark] = colours.map((tokens) =>
    declarations(Object.fromEntries(Object.entries(tokens).filter(isColour))),
  );
  siteColours = { light, dark };
}

/** Style the shadow root `root` with the current theme of the host. */
export function applyTheme(root) {
  const font = `:host([lang="zh-Hant"]) { ${declarations(tokens.traditional)} }`;
  const sheets = [base, sheet(themed(standard) + font)];
  if (siteColours) sheets.push(sheet(themed(siteColours)));
  root.adoptedStyleSheets = sheets;
}

function isColour([, value]) {
  return COLOUR.test(value);
}

function declarations(values) {
  return Object.entries(values)
    .map(([name, value]) => `--${name}: ${value};`)
    .join(" ");
}

/** Return rules for the host's theme, else for that of the reader's system. */
function themed({ light, dark }) {
  const lightRule = rule(`${light} color-scheme: light;`);
  const darkRule = rule(`${dark} color-scheme: dark;`);
  if (attributes.theme === "light") return lightRule;
  if (attributes.theme === "dark") return lightRule + darkRule;
  return `${lightRule} @media (prefers-color-scheme: dark) { ${darkRule} }`;
}

function rule(body) {
  return `:host, dialog::backdrop { ${body} } `; // in older browsers ::backdrop inherits no tokens
}

function sheet(text) {
  const styleSheet = new CSSStyleSheet();
  styleSheet.replaceSync(text);
  return styleSheet;
}
