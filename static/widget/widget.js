/* Built by npm run build from static/widget/src; do not edit. It is committed so that the site runs without Node.js. */ ((widgetSite) => {
(() => {
  // static/widget/src/site.js
  var script = document.currentScript;
  var attributes = script?.dataset ?? {};
  var siteOrigin = script ? new URL(script.src).origin : "";
  var { strings, tokens } = widgetSite;

  // static/widget/src/language.js
  var LANGUAGES = [
    ["zh-Hans", "简体"],
    ["zh-Hant", "繁體"],
    ["en", "English"]
  ];
  var TRADITIONAL = /^zh-(hant|tw|hk|mo)/i;
  var ENGLISH = /^en\b/i;
  var chosen = "";
  var current = wantedLanguage();
  function currentLanguage() {
    return current;
  }
  function translate(name) {
    return strings[current][name];
  }
  function chooseLanguage(tag) {
    chosen = tag;
  }
  function updateLanguage() {
    const before = current;
    current = wantedLanguage();
    return current !== before;
  }
  function wantedLanguage() {
    const wanted = chosen || attributes.lang || document.documentElement.lang;
    if (TRADITIONAL.test(wanted)) return "zh-Hant";
    return ENGLISH.test(wanted) ? "en" : "zh-Hans";
  }

  // static/widget/src/elements.js
  var TAGS = new Set(
    "p br hr h2 h3 h4 ul ol li blockquote pre code em strong s a img div table thead tbody tr th td".split(" ")
  );
  var ATTRIBUTES = new Set(
    "title alt width height start align class role aria-label tabindex".split(" ")
  );
  var SCHEMES = /^(https?|mailto|tel):$/;
  var NEW_TAB = { target: "_blank", rel: "noopener noreferrer" };
  function el(name, attributes2, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes2 ?? {})) setAttribute(element, key, value);
    element.append(...children.flat().filter((child) => child != null && child !== ""));
    return element;
  }
  function setAttribute(element, key, value) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  function build(node) {
    if (typeof node === "string") return node;
    const [name, allAttributes, nodes] = node;
    if (!TAGS.has(name)) return nodes.map(build);
    const attributes2 = Object.fromEntries(
      Object.entries(allAttributes).filter(([key]) => ATTRIBUTES.has(key))
    );
    if (name === "img") return image(allAttributes, attributes2);
    const href = name === "a" ? safeAddress(allAttributes.href) : null;
    return el(name, href ? { ...attributes2, href, ...NEW_TAB } : attributes2, nodes.map(build));
  }
  function siteLink(path, ...children) {
    return el("a", { href: siteOrigin + path, target: "_blank", rel: "noopener" }, ...children);
  }
  function newTabHint() {
    return el("span", { class: "quiet" }, translate("newWindow"));
  }
  function loadingLine() {
    return el("p", { class: "soft", role: "status" }, translate("loading"));
  }
  function errorLine(text) {
    return el("p", { class: "bad", role: "alert" }, text);
  }
  function safeAddress(text) {
    try {
      const address = new URL(text, siteOrigin);
      return SCHEMES.test(address.protocol) ? address.href : null;
    } catch {
      return null;
    }
  }
  function image({ src: source, alt = "" }, attributes2) {
    const src = safeAddress(source);
    if (!src) return alt;
    const picture = el("img", { ...attributes2, src, loading: "lazy" });
    picture.addEventListener("error", () => {
      const name = translate("picture") + alt;
      picture.replaceWith(picture.closest("a") ? name : el("a", { href: src, ...NEW_TAB }, name));
    });
    return picture;
  }

  // static/shared/http.js
  var TIMEOUT_MS = 15e3;
  var UPLOAD_TIMEOUT_MS = 6e4;
  var NetworkError = class extends Error {
    name = "NetworkError";
  };
  var TimeoutError = class extends NetworkError {
    name = "TimeoutError";
  };
  var ResponseError = class extends Error {
    name = "ResponseError";
    constructor(response) {
      super(`status ${response.status}`);
      this.status = response.status;
      this.isRedirected = response.redirected || response.type === "opaqueredirect";
    }
  };
  async function request(address, { timeoutMs = TIMEOUT_MS, token, signal, ...options } = {}) {
    const controller = new AbortController();
    const abort = () => controller.abort();
    let isTimedOut = false;
    const timer = setTimeout(() => {
      isTimedOut = true;
      abort();
    }, timeoutMs);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    const headers = token ? { ...options.headers, "X-CSRFToken": token } : options.headers;
    try {
      return await fetch(address, {
        credentials: "same-origin",
        ...options,
        ...headers && { headers },
        signal: controller.signal
      });
    } catch (error) {
      if (isTimedOut) throw new TimeoutError(error.message);
      throw error instanceof TypeError ? new NetworkError(error.message) : error;
    } finally {
      clearTimeout(timer);
    }
  }
  function requireOk(response) {
    if (!response.ok || response.redirected) throw new ResponseError(response);
    return response;
  }
  var LatestRequest = class {
    constructor() {
      this.controller = new AbortController();
    }
    /** Abort the current request; return the signal of the next one. */
    next() {
      this.abort();
      this.controller = new AbortController();
      return this.controller.signal;
    }
    abort() {
      this.controller.abort();
    }
    /** Send a request that replaces the current one; see `request`. */
    async send(address, options = {}) {
      const signal = this.next();
      const response = await request(address, { ...options, signal });
      signal.throwIfAborted();
      return response;
    }
    /** Send a request and return its text. Throws ResponseError. */
    async fetchText(address, options = {}) {
      const signal = this.next();
      const response = requireOk(await request(address, { ...options, signal }));
      const text = await response.text();
      signal.throwIfAborted();
      return text;
    }
  };

  // static/widget/src/api.js
  var MAX_QUERY_CHARS = 200;
  var TIMEOUT_MS2 = 15e3;
  var RefusedError = class extends Error {
    constructor(answer) {
      super(answer.detail);
      this.answer = answer;
    }
  };
  async function call(path, query, { body, signal } = {}) {
    const url = new URL(`/widget/${path}`, siteOrigin);
    const language = currentLanguage();
    const parameters = { ...query, lang: language === "zh-Hans" ? "" : language };
    for (const [key, value] of Object.entries(parameters)) {
      if (value) url.searchParams.set(key, value);
    }
    const response = await request(url, {
      ...body && { method: "POST", body },
      credentials: "omit",
      referrerPolicy: "no-referrer",
      timeoutMs: body ? UPLOAD_TIMEOUT_MS : TIMEOUT_MS2,
      signal
    });
    const answer = await response.json();
    if (!response.ok) throw new RefusedError(answer);
    return answer;
  }
  function reasonOf(error) {
    return error.answer?.detail || translate("unreachable");
  }

  // static/widget/src/panel.js
  var MAX_TEXT_CHARS = 2e3;
  var Panel = class {
    /**
     * `close` closes the dialog; null where the panel is part of the page. `views` holds the view of
     * home, of a question to ask, and a function that makes the view of an entry.
     */
    constructor({ root, place, close, chooseLanguage: chooseLanguage2, views }) {
      Object.assign(this, { root, views, isInline: close === null });
      this.trail = [];
      this.site = null;
      this.canAsk = false;
      this.searched = "";
      this.onTyping = () => {
      };
      this.title = el("h2", { tabindex: "-1" });
      const button = { type: "button", class: "button" };
      this.backButton = el("button", { ...button, hidden: true, onclick: () => this.leave() }, "←");
      this.closeButton = close && el("button", { ...button, onclick: close }, "✕");
      this.status = el("p", { class: "quiet", role: "status" });
      this.body = el("div", { class: "body" });
      this.languages = el(
        "div",
        { class: "languages", role: "group" },
        LANGUAGES.map(
          ([lang, name]) => el("button", { type: "button", lang, onclick: () => chooseLanguage2(lang) }, name)
        )
      );
      const head = el("div", { class: "head" }, this.backButton, this.title, this.closeButton);
      place.append(el("div", { class: "panel" }, head, this.body, this.languages, this.status));
      this.draft = this.makeDraft();
      this.label();
    }
    /** The fields of a question, which keep their text while other views are shown. */
    makeDraft() {
      const text = el("textarea", {
        id: "text",
        name: "text",
        maxlength: MAX_TEXT_CHARS,
        required: true
      });
      for (const kind of ["input", "compositionend"]) {
        text.addEventListener(kind, (event) => this.onTyping(event));
      }
      const contact = el("input", {
        type: "text",
        id: "contact",
        name: "contact",
        maxlength: "100",
        autocomplete: "email"
      });
      const pictures = el("input", {
        type: "file",
        id: "pictures",
        multiple: true,
        accept: "image/png,image/jpeg,image/webp,image/gif"
      });
      return { text, contact, pictures };
    }
    begin() {
      this.go(this.views.home, { canFocus: false });
    }
    label() {
      this.title.textContent = attributes.title || this.site?.name || translate("help");
      this.backButton.setAttribute("aria-label", translate("back"));
      this.closeButton?.setAttribute("aria-label", translate("close"));
      this.languages.setAttribute("aria-label", translate("language"));
      for (const button of this.languages.children) {
        button.setAttribute("aria-pressed", button.lang === currentLanguage());
      }
    }
    // Views: functions that render into the panel, and may fetch data first ----------------
    get view() {
      return this.trail.at(-1);
    }
    go(view, { canFocus = true } = {}) {
      this.trail.push(view);
      view(this);
      if (canFocus) this.title.focus({ preventScroll: !this.isInline });
    }
    openEntry(entry) {
      this.go(this.views.entry(entry));
    }
    openQuestionForm() {
      this.go(this.views.ask);
    }
    /** Return to the previous view. */
    leave() {
      this.trail.pop();
      this.view(this);
      this.focus();
    }
    /** Render the current view again, in another language. */
    repaint() {
      this.site = null;
      this.label();
      this.view?.(this);
    }
    show(...children) {
      this.body.replaceChildren(...children);
      this.body.scrollTop = 0;
      this.backButton.hidden = this.trail.length < 2;
    }
    showError(error) {
      const retry = { type: "button", class: "button", onclick: () => this.view(this) };
      this.show(errorLine(reasonOf(error)), el("button", retry, translate("again")));
    }
    /**
     * Show `children` and resolve to the answer of `fetchAnswer`.
     *
     * Resolves to null where the reader has gone to another view, or an error is shown.
     */
    async load(fetchAnswer, ...children) {
      const { view } = this;
      this.show(...children);
      try {
        const answer = await fetchAnswer();
        return this.view === view ? answer : null;
      } catch (error) {
        if (this.view === view) this.showError(error);
        return null;
      }
    }
    /** Focus the search box; on a phone the title, because a keyboard would hide the list. */
    focus() {
      const box = matchMedia("(hover: hover)").matches && this.body.querySelector("input[type=search]");
      (box || this.title).focus();
    }
  };

  // static/widget/src/widget.css
  var widget_default = `/* Styles of the widget. Sizes are in px, because the host's page defines the rem.
   Tokens come from static/base/tokens.css; see theme.js. */

:host {
  all: initial !important;
  display: block !important;
  font: 16px / 1.5 var(--font) !important;
  color-scheme: light;
}
.root {
  color: var(--ink);
  text-align: start;
  overflow-wrap: anywhere;
}
* {
  box-sizing: border-box;
}
[hidden] {
  display: none !important;
}
h2,
h3,
h4,
p,
ul,
ol,
blockquote,
pre,
fieldset {
  margin: 0;
  padding: 0;
}
button,
input,
textarea,
select {
  font: inherit;
  color: inherit;
}
:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 2px;
}
.button {
  min-height: 40px;
  padding: 0 16px;
  border: 1px solid var(--line-strong);
  border-radius: var(--radius);
  background: var(--surface-raised);
  cursor: pointer;
}
.button:hover {
  background: var(--surface-sunk);
}
.main {
  border-color: var(--accent);
  background: var(--accent);
  color: var(--accent-ink);
}
.main:hover {
  background: var(--accent);
  filter: brightness(0.92);
}
.button:disabled {
  opacity: 0.6;
  cursor: default;
}
.launch {
  position: fixed;
  z-index: 2147483000;
  right: max(16px, env(safe-area-inset-right));
  bottom: max(16px, env(safe-area-inset-bottom));
  min-height: 48px;
  padding: 0 20px;
  border-radius: var(--radius-pill);
  box-shadow: var(--shadow-float);
}
.left .launch {
  right: auto;
  left: max(16px, env(safe-area-inset-left));
}
dialog {
  width: min(400px, 100vw);
  max-width: none;
  height: min(640px, 100vh - 32px);
  height: min(640px, 100dvh - 32px);
  max-height: none;
  margin: auto 16px 16px auto;
  padding: 0;
  border: 1px solid var(--line);
  border-radius: var(--radius-l);
  background: var(--surface-raised);
  color: var(--ink);
  box-shadow: var(--shadow-float);
  overflow: hidden;
}
.left dialog {
  margin: auto auto 16px 16px;
}
dialog::backdrop {
  background: var(--backdrop-soft);
}
.panel {
  display: flex;
  flex-direction: column;
  height: 100%;
  background: var(--surface-raised);
}
.inline .panel {
  height: auto;
  border: 1px solid var(--line);
  border-radius: var(--radius-l);
}
.head {
  display: flex;
  align-items: center;
  gap: 8px;
  padding: 8px 8px 8px 16px;
  border-bottom: 1px solid var(--line);
}
.head h2 {
  flex: 1;
  font-size: 16px;
  font-weight: 650;
}
.head button {
  min-width: 40px;
  padding: 0 8px;
  border-color: transparent;
}
.body {
  flex: 1;
  padding: 16px;
  overflow-y: auto;
  overscroll-behavior: contain;
}
.inline .body {
  overflow: visible;
}
.body > * + *,
form > * + *,
.prose > * + * {
  margin-top: 12px;
}
.search {
  position: relative;
}
.body .search > * + * {
  margin-top: 0;
}
.results > * + * {
  margin-top: 12px;
}
::placeholder {
  color: var(--ink-soft);
  opacity: 1;
}
label,
legend {
  display: block;
  font-size: 14px;
  font-weight: 600;
}
input[type="search"],
input[type="text"],
textarea,
select {
  display: block;
  width: 100%;
  min-height: 44px;
  padding: 8px 12px;
  border: 1px solid var(--line-strong);
  border-radius: var(--radius);
  background: var(--surface-raised);
}
textarea {
  min-height: 96px;
  resize: vertical;
}
.trap,
.quiet {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
.soft,
.hint {
  color: var(--ink-soft);
  font-size: 14px;
}
.list {
  list-style: none;
}
.list li {
  border-bottom: 1px solid var(--line);
}
.list button {
  display: block;
  width: 100%;
  min-height: 44px;
  padding: 8px 0;
  border: 0;
  background: none;
  color: var(--accent);
  text-align: start;
  cursor: pointer;
}
.list button:hover {
  text-decoration: underline;
}
.list small {
  display: -webkit-box;
  overflow: hidden;
  color: var(--ink-soft);
  font-size: 14px;
  -webkit-box-orient: vertical;
  -webkit-line-clamp: 2;
}
h3 {
  font-size: 18px;
}
.label {
  font-size: 14px;
}
a,
.link {
  color: var(--accent);
  text-underline-offset: 3px;
}
.link {
  padding: 8px 0;
  border: 0;
  background: none;
  text-decoration: underline;
  cursor: pointer;
}
.prose {
  line-height: 1.7;
}
.prose ul,
.prose ol {
  padding-inline-start: 1.5em;
}
.prose img {
  max-width: 100%;
  height: auto;
  border: 1px solid var(--line);
  border-radius: var(--radius);
}
.prose pre,
.prose .table {
  max-width: 100%;
  overflow-x: auto;
  overflow-wrap: normal;
}
.prose pre,
.prose code {
  border-radius: var(--radius-s);
  background: var(--surface-sunk);
  font-size: 14px;
}
.prose pre {
  padding: 8px 12px;
}
.prose table {
  border-collapse: collapse;
  font-size: 14px;
}
.prose th,
.prose td {
  padding: 6px 10px;
  border: 1px solid var(--line);
  text-align: start;
  vertical-align: top;
}
.prose blockquote,
.prose .callout {
  padding: 4px 12px;
  border-inline-start: 3px solid var(--line-strong);
}
.prose .callout {
  background: var(--warn-soft);
}
.row {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 8px;
}
.choice {
  display: inline-flex;
  align-items: center;
  gap: 6px;
  min-height: 32px;
  font-weight: 400;
}
fieldset {
  border: 0;
}
.notice {
  padding: 8px 12px;
  border-inline-start: 3px solid var(--line-strong);
  background: var(--warn-soft);
}
.notice * + * {
  margin-top: 4px;
}
.languages {
  display: flex;
  justify-content: center;
  gap: 4px;
  padding: 4px;
  border-top: 1px solid var(--line);
}
.languages button {
  min-height: 32px;
  padding: 0 8px;
  border: 0;
  background: none;
  color: var(--ink-soft);
  font-size: 13px;
  cursor: pointer;
}
.languages [aria-pressed="true"] {
  color: var(--ink);
  font-weight: 650;
}
.bad {
  padding: 8px 12px;
  border-inline-start: 3px solid var(--bad);
  color: var(--bad);
}
@media (max-width: 480px) {
  dialog,
  .left dialog {
    width: 100vw;
    height: 100vh;
    height: 100dvh;
    margin: 0;
    border: 0;
    border-radius: 0;
  }
}
@media print {
  .launch {
    display: none;
  }
}
`;

  // static/widget/src/theme.js
  var COLOUR = /^#[0-9a-f]{6}$/;
  var base = sheet(widget_default);
  var standard = { light: declarations(tokens.light), dark: declarations(tokens.dark) };
  var siteColours = null;
  function setSiteColours(colours) {
    if (!colours) return;
    const [light, dark] = colours.map(
      (tokens2) => declarations(Object.fromEntries(Object.entries(tokens2).filter(isColour)))
    );
    siteColours = { light, dark };
  }
  function applyTheme(root) {
    const font = `:host([lang="zh-Hant"]) { ${declarations(tokens.traditional)} }`;
    const sheets = [base, sheet(themed(standard) + font)];
    if (siteColours) sheets.push(sheet(themed(siteColours)));
    root.adoptedStyleSheets = sheets;
  }
  function isColour([, value]) {
    return COLOUR.test(value);
  }
  function declarations(values) {
    return Object.entries(values).map(([name, value]) => `--${name}: ${value};`).join(" ");
  }
  function themed({ light, dark }) {
    const lightRule = rule(`${light} color-scheme: light;`);
    const darkRule = rule(`${dark} color-scheme: dark;`);
    if (attributes.theme === "light") return lightRule;
    if (attributes.theme === "dark") return lightRule + darkRule;
    return `${lightRule} @media (prefers-color-scheme: dark) { ${darkRule} }`;
  }
  function rule(body) {
    return `:host, dialog::backdrop { ${body} } `;
  }
  function sheet(text) {
    const styleSheet = new CSSStyleSheet();
    styleSheet.replaceSync(text);
    return styleSheet;
  }

  // static/shared/shrink_picture.js
  var MAX_UNCHANGED_BYTES = 1 << 20;
  var MAX_WIDTH_PX = 1600;
  var MAX_AREA_PX = 6e6;
  async function shrinkPicture(file) {
    if (file.size <= MAX_UNCHANGED_BYTES) return file;
    try {
      const blob = await drawSmaller(await createImageBitmap(file));
      if (!blob || blob.size >= file.size) return file;
      return new File([blob], file.name.replace(/\.\w+$|$/, ".jpg"), { type: blob.type });
    } catch {
      return file;
    }
  }
  function drawSmaller(image2) {
    const ratio = Math.min(
      1,
      MAX_WIDTH_PX / image2.width,
      Math.sqrt(MAX_AREA_PX / (image2.width * image2.height))
    );
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(image2.width * ratio);
    canvas.height = Math.round(image2.height * ratio);
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image2, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.88));
  }

  // static/widget/src/lists.js
  function entryList(panel, entries) {
    const row = (entry) => el(
      "button",
      { type: "button", onclick: () => panel.openEntry(entry) },
      entry.question,
      el("small", null, entry.excerpt)
    );
    const rows = entries.map((entry) => el("li", null, row(entry)));
    return el("ul", { class: "list" }, rows);
  }
  function noticeSection(notices) {
    if (!notices.length) return [];
    return [el("section", { class: "list", "aria-label": translate("notices") }, notices.map(row))];
    function row({ title, body, entry }) {
      const link = entry && el("p", null, siteLink(entry.url, entry.question, newTabHint()));
      return el("div", { class: "notice" }, el("strong", null, title), body.flatMap(build), link);
    }
  }
  function askLine(panel) {
    if (panel.canAsk) {
      const button = { type: "button", class: "link", onclick: () => panel.openQuestionForm() };
      return el("p", null, el("button", button, translate("still")));
    }
    const query = panel.searched ? `?q=${encodeURIComponent(panel.searched)}` : "";
    return el("p", null, siteLink(`/ask/${query}`, translate("still"), newTabHint()));
  }

  // static/widget/src/view_ask.js
  var MIN_QUERY_CHARS = 2;
  var MAX_OFFERED = 3;
  var OFFER_DELAY_MS = 500;
  async function askView(panel) {
    const formData = await panel.load(() => call("ask/", {}), loadingLine());
    if (formData) new QuestionForm(panel, formData).show();
  }
  var QuestionForm = class {
    /** `stamp` must be sent with the form; `modules` are the choices of its select. */
    constructor(panel, { stamp, modules }) {
      this.panel = panel;
      this.fields = panel.draft;
      this.fields.text.value ||= panel.searched;
      this.offered = el("div", { "aria-live": "polite" });
      this.alert = el("p", { class: "bad", role: "alert", hidden: true });
      this.stamp = el("input", { type: "hidden", name: "stamp", value: stamp });
      this.button = el("button", { class: "button main" }, translate("send"));
      this.form = this.makeForm(modules);
      this.form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.submit();
      });
      let timer = 0;
      panel.onTyping = (event) => {
        if (event.isComposing) return;
        clearTimeout(timer);
        timer = setTimeout(() => this.offer(), OFFER_DELAY_MS);
      };
    }
    makeForm(modules) {
      const { text, contact, pictures } = this.fields;
      const label = (id, name) => el("label", { for: id }, translate(name));
      const trap = el("input", {
        name: "website",
        tabindex: "-1",
        autocomplete: "off",
        "aria-label": "website"
      });
      return el(
        "form",
        { novalidate: true },
        this.alert,
        label("text", "question"),
        text,
        this.offered,
        modules.length ? [label("module", "module"), moduleField(modules)] : [],
        label("contact", "contact"),
        contact,
        label("pictures", "pictures"),
        pictures,
        el("p", { class: "trap", "aria-hidden": "true" }, trap),
        this.stamp,
        this.button
      );
    }
    show() {
      this.panel.show(el("h3", null, translate("ask")), this.form);
      this.offer();
    }
    /** Show entries that may answer the question. */
    async offer() {
      const words = this.fields.text.value.trim();
      if (words.length < MIN_QUERY_CHARS) return;
      const query = { q: words.slice(0, MAX_QUERY_CHARS) };
      const answer = await call("search/", query).catch(() => null);
      if (!answer || words !== this.fields.text.value.trim()) return;
      const entries = (answer.entries.length ? answer.entries : answer.near).slice(0, MAX_OFFERED);
      const heading = el("h3", { class: "label" }, translate("solved"));
      this.offered.replaceChildren(
        ...entries.length ? [heading, entryList(this.panel, entries)] : []
      );
    }
    refuse(text) {
      this.alert.textContent = text;
      this.alert.hidden = false;
      this.alert.scrollIntoView({ block: "nearest" });
    }
    async submit() {
      const { panel, button, fields } = this;
      if (!fields.text.value.trim()) return this.refuse(translate("empty"));
      button.disabled = true;
      try {
        const { url } = await call("ask/", {}, { body: await this.requestBody() });
        for (const field of Object.values(fields)) field.value = "";
        panel.trail.splice(1);
        panel.go(receivedView(url));
      } catch (error) {
        this.stamp.value = error.answer?.stamp || this.stamp.value;
        this.refuse(reasonOf(error));
      }
      button.disabled = false;
      if (!panel.root.activeElement) button.focus();
    }
    async requestBody() {
      const body = new FormData(this.form);
      for (const file of this.fields.pictures.files)
        body.append("pictures", await shrinkPicture(file));
      body.append("page", location.pathname);
      body.append("words", this.panel.searched);
      return body;
    }
  };
  function moduleField(modules) {
    const options = modules.map(([id, name]) => el("option", { value: id }, name));
    const unsure = el("option", { value: "" }, translate("unsure"));
    return el("select", { id: "module", name: "module" }, unsure, options);
  }
  function receivedView(url) {
    return (panel) => {
      const link = siteLink(url, translate("mine"));
      link.rel = "noopener noreferrer";
      panel.show(el("p", { role: "status" }, translate("received")), el("p", null, link));
    };
  }

  // static/widget/src/view_entry.js
  var MAX_NOTE_CHARS = 200;
  function entryView(listed) {
    return async (panel) => {
      const address = `entry/${listed.id}/`;
      const heading = el("h3", null, listed.question);
      const entry = await panel.load(
        () => call(address, { q: panel.searched }),
        heading,
        loadingLine()
      );
      if (entry) panel.show(...parts(panel, entry));
    };
  }
  function parts(panel, entry) {
    const open = siteLink(entry.url, translate("open"), newTabHint());
    const related = entry.related.length ? [el("h3", { class: "label" }, translate("related")), entryList(panel, entry.related)] : [];
    return [
      ...noticeSection(entry.notices),
      el("h3", null, entry.question),
      el("div", { class: "prose" }, entry.body.flatMap(build)),
      ...panel.canAsk ? [votePart(panel, entry)] : [],
      el("p", { class: "soft" }, translate("updated"), entry.updated, " · ", open),
      ...related,
      askLine(panel)
    ];
  }
  function votePart(panel, entry) {
    const place = el(
      "div",
      { class: "row", role: "group", "aria-label": translate("helped") },
      el("span", null, translate("helped"))
    );
    async function vote(helpful, more = null) {
      const body = new FormData();
      const fields = { helpful, token: entry.token, q: panel.searched, ...more };
      for (const [key, value] of Object.entries(fields)) body.append(key, value);
      try {
        await call(`vote/${entry.id}/`, {}, { body });
      } catch (error) {
        place.append(errorLine(reasonOf(error)));
        return;
      }
      const asksWhy = helpful === "no" && !more;
      const thanks = el("p", { role: "status" }, translate("thanks"));
      place.replaceChildren(thanks, asksWhy ? reasonForm(entry, vote) : "");
    }
    for (const answer of ["yes", "no"]) {
      const button = { type: "button", class: "button", onclick: () => vote(answer) };
      place.append(el("button", button, translate(answer)));
    }
    return place;
  }
  function reasonForm(entry, vote) {
    const choices = entry.reasons.map(
      ([value, name]) => el("label", { class: "choice" }, el("input", { type: "radio", name: "reason", value }), name)
    );
    const note = el("textarea", { name: "note", maxlength: MAX_NOTE_CHARS, id: "note" });
    const legend = el("legend", null, translate("why"));
    const form = el(
      "form",
      null,
      el("fieldset", null, legend, el("div", { class: "row" }, choices)),
      el("label", { for: "note" }, translate("more")),
      note,
      el("button", { class: "button main" }, translate("send"))
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const typed = new FormData(form);
      vote("no", { reason: typed.get("reason") ?? "", note: typed.get("note") });
    });
    return form;
  }

  // static/shared/composing.js
  function isComposing(event) {
    return event.isComposing || event.keyCode === 229;
  }

  // static/widget/src/view_home.js
  var SEARCH_DELAY_MS = 250;
  var latest = /* @__PURE__ */ new WeakMap();
  async function homeView(panel) {
    if (!panel.site && !await start(panel)) return;
    const results = el("div", { class: "results" });
    panel.show(searchForm(panel, results), results, askLine(panel));
    if (panel.searched) search(panel, panel.searched, results);
    else showCommon(panel, results);
    if (panel.root.activeElement === panel.title) panel.focus();
  }
  async function start(panel) {
    const { category, tag, q } = attributes;
    const query = { path: location.pathname, category, tag, q };
    const site = await panel.load(() => call("start/", query), loadingLine());
    if (!site) return false;
    panel.site = site;
    panel.canAsk = site.asks;
    panel.label();
    setSiteColours(site.colours);
    applyTheme(panel.root);
    return true;
  }
  function searchForm(panel, results) {
    const box = el("input", {
      type: "search",
      id: "q",
      maxlength: MAX_QUERY_CHARS,
      placeholder: translate("hint"),
      autocomplete: "off",
      enterkeyhint: "search",
      value: panel.searched
    });
    const label = el("label", { class: "quiet", for: "q" }, translate("search"));
    const form = el("form", { class: "search", role: "search" }, label, box);
    let timer = 0;
    const searchSoon = (event) => {
      if (event.isComposing) return;
      clearTimeout(timer);
      timer = setTimeout(() => search(panel, box.value, results), SEARCH_DELAY_MS);
    };
    box.addEventListener("input", searchSoon);
    box.addEventListener("compositionend", searchSoon);
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && isComposing(event)) event.preventDefault();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      clearTimeout(timer);
      search(panel, box.value, results, { isDone: true });
    });
    return form;
  }
  function showCommon(panel, results) {
    const { site } = panel;
    const title = el("h3", { class: "label" }, site.title || translate("common"));
    results.replaceChildren(...noticeSection(site.notices), title, entryList(panel, site.entries));
  }
  async function search(panel, text, results, { isDone = false } = {}) {
    if (!latest.has(panel)) latest.set(panel, new LatestRequest());
    const signal = latest.get(panel).next();
    panel.searched = text.trim().slice(0, MAX_QUERY_CHARS);
    if (!panel.searched) return showCommon(panel, results);
    const query = { q: panel.searched, done: isDone ? "1" : "" };
    try {
      const answer = await call("search/", query, { signal });
      if (!signal.aborted) showResults(panel, answer, results);
    } catch (error) {
      if (!signal.aborted) results.replaceChildren(errorLine(reasonOf(error)));
    }
  }
  function showResults(panel, answer, results) {
    const entries = answer.entries.length ? answer.entries : answer.near;
    const summary = summaryOf(answer);
    results.replaceChildren(
      ...noticeSection(answer.notices),
      el("p", { class: "soft" }, summary),
      entryList(panel, entries)
    );
    panel.status.textContent = summary;
  }
  function summaryOf({ entries, near }) {
    if (entries.length) return `${entries.length} ${translate("results")}`;
    return translate(near.length ? "near" : "none");
  }

  // static/widget/src/main.js
  var VIEWS = { home: homeView, entry: entryView, ask: askView };
  function start2() {
    const host = el("div", { lang: currentLanguage(), "data-help-widget": true });
    const root = host.attachShadow({ mode: "open" });
    applyTheme(root);
    if (attributes.mode === "list") startInline(host, root);
    else startDialog(host, root);
  }
  function startInline(host, root) {
    const frame = el("div", { class: "root inline" });
    root.append(frame);
    const target = attributes.target && document.querySelector(attributes.target);
    if (target) target.append(host);
    else script.after(host);
    const panel = makePanel(root, { place: frame, close: null });
    panel.begin();
  }
  function startDialog(host, root) {
    const frame = el("div", { class: attributes.position === "left" ? "root left" : "root" });
    const dialog = el("dialog");
    const button = el("button", {
      type: "button",
      class: "button main launch",
      "aria-haspopup": "dialog"
    });
    const label = () => {
      dialog.setAttribute("aria-label", attributes.title || translate("help"));
      button.textContent = attributes.label || translate("help");
    };
    const panel = makePanel(root, { place: dialog, close: () => dialog.close(), label });
    label();
    button.addEventListener("click", () => {
      dialog.showModal();
      if (!panel.view) panel.begin();
      panel.focus();
    });
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    frame.append(button, dialog);
    root.append(frame);
    document.body.append(host);
  }
  function makePanel(root, { place, close, label = () => {
  } }) {
    const update = () => {
      applyTheme(root);
      if (!updateLanguage()) return;
      root.host.lang = currentLanguage();
      label();
      panel.repaint();
    };
    const choose = (tag) => {
      chooseLanguage(tag);
      update();
    };
    const panel = new Panel({ root, place, close, chooseLanguage: choose, views: VIEWS });
    const watcher = new MutationObserver(update);
    watcher.observe(script, { attributeFilter: ["data-lang", "data-theme"] });
    watcher.observe(document.documentElement, { attributeFilter: ["lang"] });
    return panel;
  }
  if (script) {
    if (document.body && document.readyState !== "loading") start2();
    else document.addEventListener("DOMContentLoaded", start2);
  }
})();
})
