/* The help widget: one script line puts it into any page. No cookie, no inline
   style, no innerHTML, so that the strictest policy of the host's page holds; the
   host needs our origin in script-src and connect-src (img-src for pictures). */

(() => {
  "use strict";
  const script = document.currentScript;
  if (!script) return; // loaded as a module: there is no line to read attributes from
  const given = script.dataset; // read again at each turn: the host may change them
  const home = new URL(script.src).origin;
  const LONG = 2000, WAIT = 250, PATIENCE = 15000; // characters; ms after a key; ms
  const LIGHT = 1 << 20, WIDE = 1600, PIXELS = 6e6; // a picture: bytes that may go as they are, width, area
  const TONGUES = [["zh-Hans", "简体"], ["zh-Hant", "繁體"], ["en", "English"]];
  let chosen = ""; // by the reader, over what the host's page says
  let at = spoken();
  const words = {
    help: ["帮助", "說明", "Help"], close: ["关闭", "關閉", "Close"], back: ["返回", "返回", "Back"],
    search: ["搜索问题", "搜尋問題", "Search questions"],
    hint: ["说说遇到了什么问题", "說說遇到了什麼問題", "What is the problem?"],
    near: ["没有找到，最接近的是：", "沒有找到，最接近的是：", "Nothing found. The closest are:"],
    none: ["没有找到，换个说法试试。", "沒有找到，換個說法試試。", "Nothing found. Try other words."],
    found: ["条结果", "筆結果", "results"], often: ["常见问题", "常見問題", "Common questions"],
    helped: ["这条有帮助吗？", "這則有幫助嗎？", "Was this helpful?"],
    yes: ["有帮助", "有幫助", "Yes"], no: ["没帮助", "沒幫助", "No"],
    thanks: ["谢谢反馈。", "謝謝反饋。", "Thank you for your feedback."],
    why: ["哪里不好？", "哪裡不好？", "What is wrong?"],
    more: ["想补充的（可不填）", "想補充的（可不填）", "Anything to add (optional)"],
    send: ["提交", "送出", "Submit"],
    open: ["在帮助中心打开", "在說明中心開啟", "Open in the help center"],
    updated: ["更新于 ", "更新於 ", "Updated "],
    also: ["您可能还想问", "您可能還想問", "You may also ask"],
    still: ["还是没解决？问客服", "還是沒解決？問客服", "Still stuck? Ask us"],
    ask: ["提问", "提問", "Ask a question"], text: ["您的问题", "您的問題", "Your question"],
    solved: ["这些能解决吗？", "這些能解決嗎？", "Do these solve it?"],
    contact: ["手机号或邮箱（可不填）", "手機號碼或信箱（可不填）", "Phone or e-mail (optional)"],
    module: ["和什么有关（可不选）", "和什麼有關（可不選）", "What it is about (optional)"],
    unsure: ["不确定", "不確定", "Not sure"],
    pictures: ["截图（可不选，最多 3 张）", "截圖（可不選，最多 3 張）", "Screenshots (optional, at most 3)"],
    got: ["已收到，等客服回复。", "已收到，等客服回覆。", "Received. Our staff will answer."],
    mine: ["打开我的提问页（请收藏，回复会出现在那里）", "開啟我的提問頁（請收藏，回覆會出現在那裡）", "Open my question (keep the link: the answer will be there)"],
    picture: ["看图：", "看圖：", "Picture: "], tab: ["（新窗口）", "（新視窗）", " (new window)"],
    failed: ["连不上帮助中心，请稍后再试。", "連不上說明中心，請稍後再試。", "The help center cannot be reached. Please try again later."],
    again: ["再试一次", "再試一次", "Try again"], loading: ["正在打开…", "正在開啟…", "Opening…"],
    unset: ["请写下您的问题。", "請寫下您的問題。", "Please write your question."],
    tongue: ["语言和字体", "語言和字體", "Language"], notice: ["公告", "公告", "Notices"],
  };
  const say = (name) => words[name][at];

  function spoken() {
    const wanted = chosen || given.lang || document.documentElement.lang;
    return /^zh-(hant|tw|hk|mo)/i.test(wanted) ? 1 : /^en\b/i.test(wanted) ? 2 : 0;
  }

  const CSS = `
:host { all: initial !important; display: block !important; --accent: #2a56ac; --accent-ink: #fff; --surface: #fff; --sunk: #f1f1ee; --ink: #1c1f24; --soft: #575d66; --line: #dfdfda; --edge: #878c94; --bad: #b3261e; --mark: #fbf0d6;
  font: 16px/1.5 "PingFang SC", "HarmonyOS Sans SC", "Microsoft YaHei", "Noto Sans CJK SC", system-ui, sans-serif !important; color-scheme: light; }
:host([lang="zh-Hant"]) { font-family: "PingFang TC", "Microsoft JhengHei", "Noto Sans CJK TC", system-ui, sans-serif !important; }
.root { color: var(--ink); text-align: start; overflow-wrap: anywhere; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, h3, h4, p, ul, ol, blockquote, pre, fieldset { margin: 0; padding: 0; }
button, input, textarea, select { font: inherit; color: inherit; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.button { min-height: 40px; padding: 0 16px; border: 1px solid var(--edge); border-radius: 8px; background: var(--surface); cursor: pointer; }
.button:hover { background: var(--sunk); }
.main { border-color: var(--accent); background: var(--accent); color: var(--accent-ink); }
.main:hover { background: var(--accent); filter: brightness(.92); }
.button:disabled { opacity: .6; cursor: default; }
.launch { position: fixed; z-index: 2147483000; right: max(16px, env(safe-area-inset-right)); bottom: max(16px, env(safe-area-inset-bottom)); min-height: 48px; padding: 0 20px; border-radius: 999px; box-shadow: 0 4px 16px rgb(0 0 0 / 25%); }
.left .launch { right: auto; left: max(16px, env(safe-area-inset-left)); }
dialog { width: min(400px, 100vw); max-width: none; height: min(640px, 100vh - 32px); height: min(640px, 100dvh - 32px); max-height: none; margin: auto 16px 16px auto; padding: 0; border: 1px solid var(--line); border-radius: 14px; background: var(--surface); color: var(--ink); box-shadow: 0 8px 32px rgb(0 0 0 / 30%); overflow: hidden; }
.left dialog { margin: auto auto 16px 16px; }
dialog::backdrop { background: rgb(0 0 0 / 25%); }
.panel { display: flex; flex-direction: column; height: 100%; background: var(--surface); }
.inline .panel { height: auto; border: 1px solid var(--line); border-radius: 14px; }
.head { display: flex; align-items: center; gap: 8px; padding: 8px 8px 8px 16px; border-bottom: 1px solid var(--line); }
.head h2 { flex: 1; font-size: 16px; font-weight: 650; }
.head button { min-width: 40px; padding: 0 8px; border-color: transparent; }
.body { flex: 1; padding: 16px; overflow-y: auto; overscroll-behavior: contain; }
.inline .body { overflow: visible; }
.body > * + *, form > * + *, .prose > * + * { margin-top: 12px; }
.search { position: relative; }
.body .search > * + * { margin-top: 0; }
.results > * + * { margin-top: 12px; }
::placeholder { color: var(--soft); opacity: 1; }
label, legend { display: block; font-size: 14px; font-weight: 600; }
input[type=search], input[type=text], textarea, select { display: block; width: 100%; min-height: 44px; padding: 8px 12px; border: 1px solid var(--edge); border-radius: 8px; background: var(--surface); }
textarea { min-height: 96px; resize: vertical; }
.trap, .quiet { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.soft, .hint { color: var(--soft); font-size: 14px; }
.list { list-style: none; }
.list li { border-bottom: 1px solid var(--line); }
.list button { display: block; width: 100%; min-height: 44px; padding: 8px 0; border: 0; background: none; color: var(--accent); text-align: start; cursor: pointer; }
.list button:hover { text-decoration: underline; }
.list small { display: -webkit-box; overflow: hidden; color: var(--soft); font-size: 14px; -webkit-box-orient: vertical; -webkit-line-clamp: 2; }
h3 { font-size: 18px; }
.label { font-size: 14px; }
a, .link { color: var(--accent); text-underline-offset: 3px; }
.link { padding: 8px 0; border: 0; background: none; text-decoration: underline; cursor: pointer; }
.prose { line-height: 1.7; }
.prose ul, .prose ol { padding-inline-start: 1.5em; }
.prose img { max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 8px; }
.prose pre, .prose .table { max-width: 100%; overflow-x: auto; overflow-wrap: normal; }
.prose pre, .prose code { border-radius: 4px; background: var(--sunk); font-size: 14px; }
.prose pre { padding: 8px 12px; }
.prose table { border-collapse: collapse; font-size: 14px; }
.prose th, .prose td { padding: 6px 10px; border: 1px solid var(--line); text-align: start; vertical-align: top; }
.prose blockquote, .prose .callout { padding: 4px 12px; border-inline-start: 3px solid var(--edge); }
.prose .callout { background: var(--mark); }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; }
.choice { display: inline-flex; align-items: center; gap: 6px; min-height: 32px; font-weight: 400; }
fieldset { border: 0; }
.notice { padding: 8px 12px; border-inline-start: 3px solid var(--edge); background: var(--mark); }
.notice * + * { margin-top: 4px; }
.tongues { display: flex; justify-content: center; gap: 4px; padding: 4px; border-top: 1px solid var(--line); }
.tongues button { min-height: 32px; padding: 0 8px; border: 0; background: none; color: var(--soft); font-size: 13px; cursor: pointer; }
.tongues [aria-pressed=true] { color: var(--ink); font-weight: 650; }
.bad { padding: 8px 12px; border-inline-start: 3px solid var(--bad); color: var(--bad); }
@media (max-width: 480px) { dialog, .left dialog { width: 100vw; height: 100vh; height: 100dvh; margin: 0; border: 0; border-radius: 0; } }
@media print { .launch { display: none; } }
`;
  const DARK = "color-scheme: dark; --accent: #8fb3ff; --accent-ink: #0c1730; --surface: #1b1e24; --sunk: #262a32; --ink: #e7e9ec; --soft: #a4abb6; --line: #30353e; --edge: #757d8a; --bad: #ff9d94; --mark: #35280e;";
  const themed = (light, dark) => ({ dark: `:host { ${dark} }`, light: `:host { ${light} }` }[given.theme] ?? `:host { ${light} } @media (prefers-color-scheme: dark) { :host { ${dark} } }`);

  function sheet(text) {
    const made = new CSSStyleSheet();
    made.replaceSync(text);
    return made;
  }

  /* Elements: text is only ever text. */

  function el(name, attributes, ...inside) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes ?? {})) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value === true) made.setAttribute(key, "");
      else if (value !== false && value != null) made.setAttribute(key, value);
    }
    made.append(...inside.flat().filter((part) => part != null && part !== ""));
    return made;
  }

  const TAGS = new Set("p br hr h2 h3 h4 ul ol li blockquote pre code em strong s a img div table thead tbody tr th td".split(" "));
  const KEPT = new Set("title alt width height start align class role aria-label tabindex".split(" "));

  function address(text) {
    try {
      const found = new URL(text, home);
      return /^(https?|mailto|tel):$/.test(found.protocol) ? found.href : null;
    } catch {
      return null;
    }
  }

  function build(node) {
    if (typeof node === "string") return node;
    const [name, attributes, inside] = node;
    if (!TAGS.has(name)) return inside.map(build);
    const kept = {};
    for (const [key, value] of Object.entries(attributes)) if (KEPT.has(key)) kept[key] = value;
    if (name === "img") return image(attributes, kept);
    if (name === "a" && address(attributes.href)) {
      Object.assign(kept, { href: address(attributes.href), target: "_blank", rel: "noopener noreferrer" });
    }
    return el(name, kept, inside.map(build));
  }

  function image(attributes, kept) {
    const src = address(attributes.src);
    if (!src) return attributes.alt ?? "";
    const shown = el("img", { ...kept, src, loading: "lazy" });
    const link = { href: src, target: "_blank", rel: "noopener noreferrer" };
    // The host's policy may forbid our pictures: then they are a link away.
    shown.addEventListener("error", () => {
      const named = say("picture") + (attributes.alt ?? "");
      shown.replaceWith(shown.closest("a") ? named : el("a", link, named));
    });
    return shown;
  }

  /* Asking our site: no cookie, no referrer, never for ever. */

  async function call(path, query, body, signal) {
    const url = new URL(`/widget/${path}`, home);
    for (const [key, value] of Object.entries({ ...query, lang: at ? TONGUES[at][0] : "" })) {
      if (value) url.searchParams.set(key, value);
    }
    const controller = new AbortController(); // older browsers have no AbortSignal.timeout
    const abort = () => controller.abort();
    const timer = setTimeout(abort, body ? PATIENCE * 4 : PATIENCE);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    const options = { credentials: "omit", referrerPolicy: "no-referrer", signal: controller.signal };
    try {
      const answer = await fetch(url, body ? { ...options, method: "POST", body } : options);
      const told = await answer.json();
      if (!answer.ok) throw Object.assign(new Error(told.detail), { told });
      return told;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  /* A photo of a phone would take minutes to send, and be refused. */

  async function small(file) {
    try {
      if (file.size <= LIGHT) return file;
      const image = await createImageBitmap(file);
      const ratio = Math.min(1, WIDE / image.width, Math.sqrt(PIXELS / (image.width * image.height)));
      const canvas = el("canvas", { width: Math.round(image.width * ratio), height: Math.round(image.height * ratio) });
      const paper = canvas.getContext("2d");
      paper.fillStyle = "#fff";
      paper.fillRect(0, 0, canvas.width, canvas.height);
      paper.drawImage(image, 0, 0, canvas.width, canvas.height);
      const made = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
      return made && made.size < file.size ? made : file;
    } catch {
      return file; // our site says what is wrong with it
    }
  }

  const reason = (error) => error.told?.detail || say("failed");

  /* One widget: a panel whose views replace each other. */

  function widget(root, place, inline, close) {
    const title = el("h2", { tabindex: "-1" });
    const back = el("button", { type: "button", class: "button", hidden: true, onclick: leave }, "←");
    const status = el("p", { class: "quiet", role: "status" });
    const body = el("div", { class: "body" });
    const shut = close && el("button", { type: "button", class: "button", onclick: close }, "✕");
    const tongues = el("div", { class: "tongues", role: "group" }, TONGUES.map(([lang, name]) => el("button", { type: "button", lang, onclick: () => speak(lang) }, name)));
    place.append(el("div", { class: "panel" }, el("div", { class: "head" }, back, title, shut), body, tongues, status));
    const trail = []; // views to go back to
    let first = null, asks = false, searched = "", running = null;
    let typed = () => {};
    // What somebody writes stays, whichever view he looks at meanwhile.
    const draft = {
      text: el("textarea", { id: "text", name: "text", maxlength: LONG, required: true }),
      contact: el("input", { type: "text", id: "contact", name: "contact", maxlength: "100", autocomplete: "email" }),
      pictures: el("input", { type: "file", id: "pictures", multiple: true, accept: "image/png,image/jpeg,image/webp,image/gif" }),
    };

    for (const kind of ["input", "compositionend"]) draft.text.addEventListener(kind, (event) => typed(event));

    function label() {
      title.textContent = given.title || first?.name || say("help");
      back.setAttribute("aria-label", say("back"));
      shut?.setAttribute("aria-label", say("close"));
      tongues.setAttribute("aria-label", say("tongue"));
      for (const button of tongues.children) button.setAttribute("aria-pressed", button.lang === TONGUES[at][0]);
    }

    /* The same view, in another language. */
    function repaint() {
      first = null;
      label();
      trail.at(-1)?.();
    }

    function show(...inside) {
      body.replaceChildren(...inside);
      body.scrollTop = 0;
      back.hidden = trail.length < 2;
    }

    function go(view, focus = true) {
      trail.push(view);
      view();
      if (focus) title.focus({ preventScroll: !inline });
    }

    function leave() {
      trail.pop();
      trail.at(-1)();
      focus();
    }

    function failed(error, retry) {
      show(el("p", { class: "bad", role: "alert" }, reason(error)), el("button", { type: "button", class: "button", onclick: retry }, say("again")));
    }

    const list = (entries) => el("ul", { class: "list" }, entries.map((entry) => el("li", null, el("button", { type: "button", onclick: () => go(() => read(entry)) }, entry.question, el("small", null, entry.excerpt)))));

    const notices = (running) => (running.length ? [el("section", { class: "list", "aria-label": say("notice") }, running.map((one) => el("div", { class: "notice" }, el("strong", null, one.title), one.body.flatMap(build), one.entry && el("p", null, el("a", { href: home + one.entry.url, target: "_blank", rel: "noopener" }, one.entry.question, el("span", { class: "quiet" }, say("tab")))))))] : []);

    const still = () => el("p", null, asks
      ? el("button", { type: "button", class: "link", onclick: () => go(ask) }, say("still"))
      : el("a", { href: `${home}/ask/${searched ? `?q=${encodeURIComponent(searched)}` : ""}`, target: "_blank", rel: "noopener" }, say("still"), el("span", { class: "quiet" }, say("tab"))));

    /* The first view: a search box, and what fits the page. */

    async function begin() {
      if (!first) {
        show(el("p", { class: "soft", role: "status" }, say("loading")));
        const asked = { path: location.pathname, category: given.category, tag: given.tag, q: given.q };
        try {
          first = await call("start/", asked);
        } catch (error) {
          return failed(error, begin);
        }
        asks = first.asks;
        label();
        colours = first.colours;
        dress(root);
        if (trail.at(-1) !== begin) return undefined;
      }
      const results = el("div", { class: "results" });
      const box = el("input", { type: "search", id: "q", maxlength: "200", placeholder: say("hint"), autocomplete: "off", enterkeyhint: "search", value: searched });
      const form = el("form", { class: "search", role: "search" }, el("label", { class: "quiet", for: "q" }, say("search")), box);
      let timer = 0;
      const later = (event) => {
        if (event.isComposing) return;
        clearTimeout(timer);
        timer = setTimeout(find, WAIT, box.value, results, false);
      };
      box.addEventListener("input", later);
      box.addEventListener("compositionend", later);
      box.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) event.preventDefault();
      });
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        clearTimeout(timer);
        find(box.value, results, true);
      });
      show(form, results, still());
      if (searched) find(searched, results, false);
      else usual(results);
      if (root.activeElement === title) focus(); // it waited there
      return undefined;
    }

    function focus() {
      const box = matchMedia("(hover: hover)").matches && body.querySelector("input[type=search]");
      (box || title).focus(); // a phone's keyboard would hide half of the list
    }

    function usual(results) {
      results.replaceChildren(...notices(first.notices), el("h3", { class: "label" }, first.title || say("often")), list(first.entries));
    }

    async function find(text, results, done) {
      running?.abort();
      const mine = (running = new AbortController());
      searched = text.trim().slice(0, 200);
      if (!searched) return usual(results);
      try {
        const found = await call("search/", { q: searched, done: done ? "1" : "" }, null, mine.signal);
        if (running !== mine) return undefined;
        const entries = found.entries.length ? found.entries : found.near;
        const said = found.entries.length ? `${entries.length} ${say("found")}` : say(entries.length ? "near" : "none");
        results.replaceChildren(...notices(found.notices), el("p", { class: "soft" }, said), list(entries));
        status.textContent = said;
      } catch (error) {
        if (running === mine) results.replaceChildren(el("p", { class: "bad", role: "alert" }, reason(error)));
      }
      return undefined;
    }

    /* An answer, and whether it helped. */

    async function read(listed) {
      const mine = trail.at(-1);
      show(el("h3", null, listed.question), el("p", { class: "soft", role: "status" }, say("loading")));
      let entry;
      try {
        entry = await call(`entry/${listed.id}/`, { q: searched });
      } catch (error) {
        if (trail.at(-1) === mine) failed(error, () => read(listed));
        return;
      }
      if (trail.at(-1) !== mine) return;
      const parts = [...notices(entry.notices), el("h3", null, entry.question), el("div", { class: "prose" }, entry.body.flatMap(build)), asks && judge(entry)];
      parts.push(el("p", { class: "soft" }, say("updated"), entry.updated, " · ", el("a", { href: home + entry.url, target: "_blank", rel: "noopener" }, say("open"), el("span", { class: "quiet" }, say("tab")))));
      if (entry.related.length) parts.push(el("h3", { class: "label" }, say("also")), list(entry.related));
      show(...parts.filter(Boolean), still());
    }

    function judge(entry) {
      const place = el("div", { class: "row", role: "group", "aria-label": say("helped") }, el("span", null, say("helped")));
      const vote = async (helpful, more) => {
        const sent = new FormData();
        for (const [key, value] of Object.entries({ helpful, token: entry.token, q: searched, ...more })) sent.append(key, value);
        try {
          await call(`vote/${entry.id}/`, {}, sent);
          const form = helpful === "no" && !more && why(entry, vote);
          place.replaceChildren(el("p", { role: "status" }, say("thanks")), form || "");
        } catch (error) {
          place.append(el("p", { class: "bad", role: "alert" }, reason(error)));
        }
      };
      for (const answer of ["yes", "no"]) place.append(el("button", { type: "button", class: "button", onclick: () => vote(answer) }, say(answer)));
      return place;
    }

    function why(entry, vote) {
      const choices = entry.reasons.map(([value, name]) => el("label", { class: "choice" }, el("input", { type: "radio", name: "reason", value }), name));
      const note = el("textarea", { name: "note", maxlength: "200", id: "note" });
      const form = el("form", null, el("fieldset", null, el("legend", null, say("why")), el("div", { class: "row" }, choices)), el("label", { for: "note" }, say("more")), note, el("button", { class: "button main" }, say("send")));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const told = new FormData(form);
        vote("no", { reason: told.get("reason") ?? "", note: told.get("note") });
      });
      return form;
    }

    /* A question: answers are offered while it is written. */

    async function ask() {
      const mine = trail.at(-1);
      let made;
      show(el("p", { class: "soft", role: "status" }, say("loading")));
      try {
        made = await call("ask/", {});
      } catch (error) {
        if (trail.at(-1) === mine) failed(error, ask);
        return;
      }
      if (trail.at(-1) === mine) form(made);
    }

    function form(made) {
      const { text, contact, pictures } = draft;
      text.value ||= searched;
      const offered = el("div", { "aria-live": "polite" });
      const wrong = el("p", { class: "bad", role: "alert", hidden: true });
      const stamp = el("input", { type: "hidden", name: "stamp", value: made.stamp });
      const button = el("button", { class: "button main" }, say("send"));
      const modules = made.modules.length && [el("label", { for: "module" }, say("module")), el("select", { id: "module", name: "module" }, el("option", { value: "" }, say("unsure")), made.modules.map(([id, name]) => el("option", { value: id }, name)))];
      const asking = el("form", { novalidate: true }, wrong, el("label", { for: "text" }, say("text")), text, offered, modules || "",
        el("label", { for: "contact" }, say("contact")), contact,
        el("label", { for: "pictures" }, say("pictures")), pictures,
        el("p", { class: "trap", "aria-hidden": "true" }, el("input", { name: "website", tabindex: "-1", autocomplete: "off", "aria-label": "website" })), stamp, button);
      let timer = 0;
      const offer = async () => {
        const asked = text.value.trim();
        if (asked.length < 2) return;
        const found = await call("search/", { q: asked.slice(0, 200) }).catch(() => null);
        if (!found || asked !== text.value.trim()) return;
        const some = (found.entries.length ? found.entries : found.near).slice(0, 3);
        offered.replaceChildren(...(some.length ? [el("h3", { class: "label" }, say("solved")), list(some)] : []));
      };
      const later = (event) => {
        if (event.isComposing) return;
        clearTimeout(timer);
        timer = setTimeout(offer, WAIT * 2);
      };
      typed = later;
      const refuse = (said) => {
        wrong.textContent = said;
        wrong.hidden = false;
        wrong.scrollIntoView({ block: "nearest" });
      };
      asking.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (!text.value.trim()) return refuse(say("unset"));
        button.disabled = true;
        const sent = new FormData(asking);
        for (const file of pictures.files) sent.append("pictures", await small(file), file.name);
        sent.append("page", location.pathname);
        sent.append("words", searched);
        try {
          const taken = await call("ask/", {}, sent);
          text.value = contact.value = pictures.value = "";
          trail.splice(1);
          go(() => show(el("p", { role: "status" }, say("got")), el("p", null, el("a", { href: home + taken.url, target: "_blank", rel: "noopener noreferrer" }, say("mine")))));
        } catch (error) {
          if (error.told?.stamp) stamp.value = error.told.stamp;
          refuse(reason(error));
        }
        button.disabled = false;
        if (!root.activeElement) button.focus(); // a disabled button loses the focus
        return undefined;
      });
      show(el("h3", null, say("ask")), asking);
      offer();
    }

    label();
    return { begin: () => go(begin, false), focus, repaint };
  }

  /* How it looks: the host's theme, the site's colours. */

  const base = sheet(CSS);
  let colours = null; // tokens of the site, in light and in dark

  function dress(root) {
    const set = (tokens) => Object.entries(tokens).filter(([, value]) => /^#[0-9a-f]{6}$/.test(value)).map(([key, value]) => `--${key}: ${value};`).join(" ");
    root.adoptedStyleSheets = [base, sheet(themed("", DARK)), ...(colours ? [sheet(themed(...colours.map(set)))] : [])];
  }

  /* Where it stands: a button in a corner, or a list in its place. */

  let speak = () => {}; // let the reader choose a language

  function follow(root, repaint) {
    const turn = () => {
      dress(root);
      if (at === spoken()) return;
      at = spoken();
      root.host.lang = TONGUES[at][0];
      repaint();
    };
    speak = (lang) => {
      chosen = lang;
      turn();
    };
    const watcher = new MutationObserver(turn);
    watcher.observe(script, { attributeFilter: ["data-lang", "data-theme"] });
    watcher.observe(document.documentElement, { attributeFilter: ["lang"] });
  }

  function start() {
    const inline = given.mode === "list";
    const host = el("div", { lang: TONGUES[at][0], "data-help-widget": true });
    const root = host.attachShadow({ mode: "open" });
    dress(root);
    const frame = el("div", { class: `root ${inline ? "inline" : ""} ${given.position === "left" ? "left" : ""}` });
    root.append(frame);
    if (inline) {
      const target = given.target && document.querySelector(given.target);
      if (target) target.append(host);
      else script.after(host);
      const made = widget(root, frame, true, null);
      follow(root, made.repaint);
      made.begin();
      return;
    }
    const dialog = el("dialog");
    const button = el("button", { type: "button", class: "button main launch", "aria-haspopup": "dialog" });
    const made = widget(root, dialog, false, () => dialog.close());
    let begun = false;
    const label = () => {
      dialog.setAttribute("aria-label", given.title || say("help"));
      button.textContent = given.label || say("help");
    };
    label();
    follow(root, () => {
      label();
      made.repaint();
    });
    button.addEventListener("click", () => {
      dialog.showModal();
      if (!begun) made.begin();
      begun = true;
      made.focus();
    });
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("keydown", (event) => event.stopPropagation()); // shortcuts of the host stay out
    frame.append(button, dialog);
    document.body.append(host);
  }

  if (document.body && document.readyState !== "loading") start();
  else document.addEventListener("DOMContentLoaded", start);
})();
