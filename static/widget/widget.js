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
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes2 ?? {})) setAttribute(made, key, value);
    made.append(...children.flat().filter((child) => child != null && child !== ""));
    return made;
  }
  function setAttribute(element, key, value) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  function build(node) {
    if (typeof node === "string") return node;
    const [name, given, nodes] = node;
    if (!TAGS.has(name)) return nodes.map(build);
    const kept = Object.fromEntries(Object.entries(given).filter(([key]) => ATTRIBUTES.has(key)));
    if (name === "img") return image(given, kept);
    const href = name === "a" ? safeAddress(given.href) : null;
    return el(name, href ? { ...kept, href, ...NEW_TAB } : kept, nodes.map(build));
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
  function image(given, kept) {
    const src = safeAddress(given.src);
    if (!src) return given.alt ?? "";
    const shown = el("img", { ...kept, src, loading: "lazy" });
    shown.addEventListener("error", () => {
      const name = translate("picture") + (given.alt ?? "");
      shown.replaceWith(shown.closest("a") ? name : el("a", { href: src, ...NEW_TAB }, name));
    });
    return shown;
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
    /** Abort the request under way; return the signal of the next one. */
    next() {
      this.abort();
      this.controller = new AbortController();
      return this.controller.signal;
    }
    abort() {
      this.controller.abort();
    }
    /** Send a request in place of the one under way; see `request`. */
    async send(address, options = {}) {
      const signal = this.next();
      const response = await request(address, { ...options, signal });
      signal.throwIfAborted();
      return response;
    }
    /** Send a request and return the text of its answer. Throws ResponseError for other answers. */
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
     * `close` closes the dialog; null where the panel stands in the page. `views` holds the view of
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
        { class: "tongues", role: "group" },
        LANGUAGES.map(
          ([lang, name]) => el("button", { type: "button", lang, onclick: () => chooseLanguage2(lang) }, name)
        )
      );
      const head = el("div", { class: "head" }, this.backButton, this.title, this.closeButton);
      place.append(el("div", { class: "panel" }, head, this.body, this.languages, this.status));
      this.draft = this.makeDraft();
      this.label();
    }
    /** Fields of a question. They stay, whichever view the reader looks at meanwhile. */
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
    // Views: functions of the panel, which may fetch first --------------------------------
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
    /** Back to the view before this one. */
    leave() {
      this.trail.pop();
      this.view(this);
      this.focus();
    }
    /** The same view, in another language. */
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
     * Resolve to what `fetchAnswer` does, or to null: then the reader has gone on, or sees the error.
     *
     * Meanwhile `children` are shown.
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
    /** The search box, or the title: a phone's keyboard would hide half of the list. */
    focus() {
      const box = matchMedia("(hover: hover)").matches && this.body.querySelector("input[type=search]");
      (box || this.title).focus();
    }
  };

  // static/widget/src/widget.css
  var widget_default = '/* How the widget looks. Sizes are px: the host page decides what a rem is.\n   Tokens come from static/base/tokens.css; see theme.js. */\n\n:host {\n  all: initial !important;\n  display: block !important;\n  font: 16px / 1.5 var(--font) !important;\n  color-scheme: light;\n}\n.root {\n  color: var(--ink);\n  text-align: start;\n  overflow-wrap: anywhere;\n}\n* {\n  box-sizing: border-box;\n}\n[hidden] {\n  display: none !important;\n}\nh2,\nh3,\nh4,\np,\nul,\nol,\nblockquote,\npre,\nfieldset {\n  margin: 0;\n  padding: 0;\n}\nbutton,\ninput,\ntextarea,\nselect {\n  font: inherit;\n  color: inherit;\n}\n:focus-visible {\n  outline: 2px solid var(--accent);\n  outline-offset: 2px;\n}\n.button {\n  min-height: 40px;\n  padding: 0 16px;\n  border: 1px solid var(--line-strong);\n  border-radius: var(--radius);\n  background: var(--surface-raised);\n  cursor: pointer;\n}\n.button:hover {\n  background: var(--surface-sunk);\n}\n.main {\n  border-color: var(--accent);\n  background: var(--accent);\n  color: var(--accent-ink);\n}\n.main:hover {\n  background: var(--accent);\n  filter: brightness(0.92);\n}\n.button:disabled {\n  opacity: 0.6;\n  cursor: default;\n}\n.launch {\n  position: fixed;\n  z-index: 2147483000;\n  right: max(16px, env(safe-area-inset-right));\n  bottom: max(16px, env(safe-area-inset-bottom));\n  min-height: 48px;\n  padding: 0 20px;\n  border-radius: var(--radius-pill);\n  box-shadow: var(--shadow-float);\n}\n.left .launch {\n  right: auto;\n  left: max(16px, env(safe-area-inset-left));\n}\ndialog {\n  width: min(400px, 100vw);\n  max-width: none;\n  height: min(640px, 100vh - 32px);\n  height: min(640px, 100dvh - 32px);\n  max-height: none;\n  margin: auto 16px 16px auto;\n  padding: 0;\n  border: 1px solid var(--line);\n  border-radius: var(--radius-l);\n  background: var(--surface-raised);\n  color: var(--ink);\n  box-shadow: var(--shadow-float);\n  overflow: hidden;\n}\n.left dialog {\n  margin: auto auto 16px 16px;\n}\ndialog::backdrop {\n  background: var(--backdrop-soft);\n}\n.panel {\n  display: flex;\n  flex-direction: column;\n  height: 100%;\n  background: var(--surface-raised);\n}\n.inline .panel {\n  height: auto;\n  border: 1px solid var(--line);\n  border-radius: var(--radius-l);\n}\n.head {\n  display: flex;\n  align-items: center;\n  gap: 8px;\n  padding: 8px 8px 8px 16px;\n  border-bottom: 1px solid var(--line);\n}\n.head h2 {\n  flex: 1;\n  font-size: 16px;\n  font-weight: 650;\n}\n.head button {\n  min-width: 40px;\n  padding: 0 8px;\n  border-color: transparent;\n}\n.body {\n  flex: 1;\n  padding: 16px;\n  overflow-y: auto;\n  overscroll-behavior: contain;\n}\n.inline .body {\n  overflow: visible;\n}\n.body > * + *,\nform > * + *,\n.prose > * + * {\n  margin-top: 12px;\n}\n.search {\n  position: relative;\n}\n.body .search > * + * {\n  margin-top: 0;\n}\n.results > * + * {\n  margin-top: 12px;\n}\n::placeholder {\n  color: var(--ink-soft);\n  opacity: 1;\n}\nlabel,\nlegend {\n  display: block;\n  font-size: 14px;\n  font-weight: 600;\n}\ninput[type="search"],\ninput[type="text"],\ntextarea,\nselect {\n  display: block;\n  width: 100%;\n  min-height: 44px;\n  padding: 8px 12px;\n  border: 1px solid var(--line-strong);\n  border-radius: var(--radius);\n  background: var(--surface-raised);\n}\ntextarea {\n  min-height: 96px;\n  resize: vertical;\n}\n.trap,\n.quiet {\n  position: absolute;\n  width: 1px;\n  height: 1px;\n  overflow: hidden;\n  clip-path: inset(50%);\n  white-space: nowrap;\n}\n.soft,\n.hint {\n  color: var(--ink-soft);\n  font-size: 14px;\n}\n.list {\n  list-style: none;\n}\n.list li {\n  border-bottom: 1px solid var(--line);\n}\n.list button {\n  display: block;\n  width: 100%;\n  min-height: 44px;\n  padding: 8px 0;\n  border: 0;\n  background: none;\n  color: var(--accent);\n  text-align: start;\n  cursor: pointer;\n}\n.list button:hover {\n  text-decoration: underline;\n}\n.list small {\n  display: -webkit-box;\n  overflow: hidden;\n  color: var(--ink-soft);\n  font-size: 14px;\n  -webkit-box-orient: vertical;\n  -webkit-line-clamp: 2;\n}\nh3 {\n  font-size: 18px;\n}\n.label {\n  font-size: 14px;\n}\na,\n.link {\n  color: var(--accent);\n  text-underline-offset: 3px;\n}\n.link {\n  padding: 8px 0;\n  border: 0;\n  background: none;\n  text-decoration: underline;\n  cursor: pointer;\n}\n.prose {\n  line-height: 1.7;\n}\n.prose ul,\n.prose ol {\n  padding-inline-start: 1.5em;\n}\n.prose img {\n  max-width: 100%;\n  height: auto;\n  border: 1px solid var(--line);\n  border-radius: var(--radius);\n}\n.prose pre,\n.prose .table {\n  max-width: 100%;\n  overflow-x: auto;\n  overflow-wrap: normal;\n}\n.prose pre,\n.prose code {\n  border-radius: var(--radius-s);\n  background: var(--surface-sunk);\n  font-size: 14px;\n}\n.prose pre {\n  padding: 8px 12px;\n}\n.prose table {\n  border-collapse: collapse;\n  font-size: 14px;\n}\n.prose th,\n.prose td {\n  padding: 6px 10px;\n  border: 1px solid var(--line);\n  text-align: start;\n  vertical-align: top;\n}\n.prose blockquote,\n.prose .callout {\n  padding: 4px 12px;\n  border-inline-start: 3px solid var(--line-strong);\n}\n.prose .callout {\n  background: var(--warn-soft);\n}\n.row {\n  display: flex;\n  flex-wrap: wrap;\n  align-items: center;\n  gap: 8px;\n}\n.choice {\n  display: inline-flex;\n  align-items: center;\n  gap: 6px;\n  min-height: 32px;\n  font-weight: 400;\n}\nfieldset {\n  border: 0;\n}\n.notice {\n  padding: 8px 12px;\n  border-inline-start: 3px solid var(--line-strong);\n  background: var(--warn-soft);\n}\n.notice * + * {\n  margin-top: 4px;\n}\n.tongues {\n  display: flex;\n  justify-content: center;\n  gap: 4px;\n  padding: 4px;\n  border-top: 1px solid var(--line);\n}\n.tongues button {\n  min-height: 32px;\n  padding: 0 8px;\n  border: 0;\n  background: none;\n  color: var(--ink-soft);\n  font-size: 13px;\n  cursor: pointer;\n}\n.tongues [aria-pressed="true"] {\n  color: var(--ink);\n  font-weight: 650;\n}\n.bad {\n  padding: 8px 12px;\n  border-inline-start: 3px solid var(--bad);\n  color: var(--bad);\n}\n@media (max-width: 480px) {\n  dialog,\n  .left dialog {\n    width: 100vw;\n    height: 100vh;\n    height: 100dvh;\n    margin: 0;\n    border: 0;\n    border-radius: 0;\n  }\n}\n@media print {\n  .launch {\n    display: none;\n  }\n}\n';

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
    const made = new CSSStyleSheet();
    made.replaceSync(text);
    return made;
  }

  // static/shared/shrink_picture.js
  var LIGHT = 1 << 20;
  var WIDE = 1600;
  var AREA = 6e6;
  async function small(file) {
    if (file.size <= LIGHT) return file;
    try {
      const made = await drawn(await createImageBitmap(file));
      if (!made || made.size >= file.size) return file;
      return new File([made], file.name.replace(/\.\w+$|$/, ".jpg"), { type: made.type });
    } catch {
      return file;
    }
  }
  function drawn(image2) {
    const ratio = Math.min(1, WIDE / image2.width, Math.sqrt(AREA / (image2.width * image2.height)));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(image2.width * ratio);
    canvas.height = Math.round(image2.height * ratio);
    const paper = canvas.getContext("2d");
    paper.fillStyle = "#fff";
    paper.fillRect(0, 0, canvas.width, canvas.height);
    paper.drawImage(image2, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.88));
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
    const made = await panel.load(() => call("ask/", {}), loadingLine());
    if (made) new QuestionForm(panel, made).show();
  }
  var QuestionForm = class {
    /** `made` holds the stamp of the form, and the modules to choose from. */
    constructor(panel, made) {
      this.panel = panel;
      this.fields = panel.draft;
      this.fields.text.value ||= panel.searched;
      this.offered = el("div", { "aria-live": "polite" });
      this.alert = el("p", { class: "bad", role: "alert", hidden: true });
      this.stamp = el("input", { type: "hidden", name: "stamp", value: made.stamp });
      this.button = el("button", { class: "button main" }, translate("send"));
      this.form = this.makeForm(made.modules);
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
    /** Entries that may already answer what is written. */
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
      for (const file of this.fields.pictures.files) body.append("pictures", await small(file));
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
