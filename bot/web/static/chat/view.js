// What the person sees: a button in the corner and a panel, or the panel as the whole page.

import { h, icon, linked } from "./dom.js";
import style from "./style.js";

const TYPING_MS = 4000;
const BANNER_AFTER_MS = 1500;
const WAITING_AFTER_MS = 2500;
const BACK_MS = 3000;
const GAP_MS = 20 * 60_000;
const HISTORY_MS = 800;
const TALLEST_PX = 120;
const BUBBLE = "M12 3C6.8 3 3 6.5 3 11c0 2.3 1 4.3 2.7 5.7L5 21l4.6-2c.8.2 1.6.3 2.4.3 5.2 0 9-3.6 9-8.2S17.2 3 12 3Z";
const CROSS = "M6 6l12 12M18 6L6 18";
const ARROW = "M4 12h14M12 6l6 6-6 6";

export class View {
  #words;
  #name;
  #isPage;
  #isOpen = false;
  #wasLost = false;
  #unread = 0;
  #read;
  #newest = 0;
  #lastAt = 0;
  #texts = new Map();
  #timers = { typing: 0, banner: 0 };
  #root;
  #launcher;
  #badge;
  #panel;
  #log;
  #dots;
  #banner;
  #status;
  #form;
  #field;

  constructor(host, { name, words, isPage, read }) {
    [this.#name, this.#words, this.#isPage, this.#read] = [name, words, isPage, read];
    const shadow = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    shadow.adoptedStyleSheets = [sheet];
    this.#root = h("div", { class: `root ${isPage ? "is-page" : "is-corner"}`, lang: words.locale });
    this.#build();
    shadow.append(this.#root);
  }

  #build() {
    const words = this.#words;
    this.#badge = h("span", { class: "badge", "aria-hidden": "true", hidden: "" });
    this.#launcher = h("button", { class: "launcher", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-label": words.open }, icon(BUBBLE), this.#badge);
    this.#dots = h("div", { class: "dots", "aria-hidden": "true", hidden: "" }, h("i"), h("i"), h("i"));
    this.#log = h("div", { class: "log", role: "log", "aria-live": "off", "aria-relevant": "additions", "aria-label": words.log, tabindex: "0" }, this.#welcome(), this.#dots);
    this.#banner = h("p", { class: "banner", hidden: "" });
    this.#status = h("p", { class: "unseen", role: "status" });
    this.#field = h("textarea", { id: "text", rows: "1", maxlength: "1600", placeholder: words.write, autocomplete: "off", enterkeyhint: "send" });
    const button = h("button", { class: "send", type: "submit", "aria-label": words.send }, icon(ARROW));
    this.#form = h("form", { class: "compose" }, h("label", { class: "unseen", for: "text" }, words.write), this.#field, button);
    const title = h(this.#isPage ? "h1" : "h2", { id: "title" }, this.#name);
    const head = h("header", { class: "head" }, h("div", { class: "names" }, title, h("p", {}, words.subtitle)));
    const about = this.#isPage ? { role: "main" } : { role: "dialog", "aria-modal": "true", hidden: "" };
    this.#panel = h("section", { class: "panel", "aria-labelledby": "title", ...about }, head, this.#banner, this.#log, this.#form, this.#status);
    if (!this.#isPage) {
      const close = h("button", { class: "close", type: "button", "aria-label": words.close }, icon(CROSS));
      close.addEventListener("click", () => this.close());
      head.append(close);
      this.#root.append(this.#launcher);
    }
    this.#root.append(this.#panel);
  }

  listen({ say, opened, typing, read }) {
    this.#launcher.addEventListener("click", () => { this.open(); opened(); });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#field.value.trim();
      this.#field.value = "";
      this.#grow();
      this.#field.focus();
      if (text) say(text);
    });
    this.#field.addEventListener("input", () => { this.#grow(); typing(); });
    this.#field.addEventListener("focus", opened);
    this.#field.addEventListener("keydown", (event) => {
      // Enter also ends the choice of a character in East Asian keyboards.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#panel.addEventListener("keydown", (event) => this.#key(event));
    this.#markRead = read;
  }

  #markRead = () => {};

  // --- opening and closing ---

  open() {
    this.#isOpen = true;
    this.#panel.hidden = false;
    this.#launcher.setAttribute("aria-expanded", "true");
    this.#root.classList.add("is-open");
    this.#seen();
    this.#toEnd();
    this.#field.focus({ preventScroll: true });
  }

  close() {
    this.#isOpen = false;
    this.#panel.hidden = true;
    this.#launcher.setAttribute("aria-expanded", "false");
    this.#root.classList.remove("is-open");
    this.#launcher.focus();
  }

  #key(event) {
    if (this.#isPage) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
    } else if (event.key === "Tab") this.#keepInside(event);
  }

  /** The panel covers the page for whoever cannot see it: Tab goes round inside. */
  #keepInside(event) {
    const places = [...this.#panel.querySelectorAll("button, textarea, a[href], [tabindex='0']")];
    const here = this.#panel.getRootNode().activeElement;
    const [first, last] = [places[0], places[places.length - 1]];
    const next = event.shiftKey && here === first ? last : !event.shiftKey && here === last ? first : null;
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  // --- what is told ---

  reset() {
    this.#texts.clear();
    [this.#unread, this.#newest, this.#read, this.#lastAt] = [0, 0, 0, 0];
    this.#log.setAttribute("aria-live", "off");
    this.#log.replaceChildren(this.#welcome(), this.#dots);
    this.#count();
  }

  showState(state) {
    clearTimeout(this.#timers.banner);
    if (state === "offline") this.#warn(this.#words.offline);
    else if (state !== "open") this.#timers.banner = setTimeout(() => this.#warn(navigator.onLine ? this.#words.connecting : this.#words.offline), BANNER_AFTER_MS);
    else this.#calm();
    if (state === "open") this.#readAloudSoon();
  }

  /** What was said before is there to be looked up; only what comes from now on is read out. */
  #readAloudSoon() {
    setTimeout(() => this.#log.setAttribute("aria-live", "polite"), HISTORY_MS);
  }

  #warn(words) {
    this.#wasLost = true;
    const follow = this.#isAtEnd();
    this.#banner.hidden = false;
    if (follow) this.#toEnd();
    this.#banner.classList.remove("is-good");
    if (this.#banner.textContent !== words) this.#banner.textContent = this.#status.textContent = words;
  }

  #calm() {
    if (!this.#wasLost) return;
    this.#wasLost = false;
    this.#banner.classList.add("is-good");
    this.#banner.textContent = this.#status.textContent = this.#words.back;
    this.#timers.banner = setTimeout(() => { this.#banner.hidden = true; }, BACK_MS);
  }

  showMessage({ id, text, at, from, client_id }) {
    const isOurs = from !== "you";
    const shown = this.#texts.get(client_id);
    this.#newest = id;
    if (isOurs) this.#hideTyping();
    if (shown) {
      this.#settle(shown, "stored");
      this.#correct(shown, Date.parse(at));
    } else this.#add(at, this.#bubble(from, text), client_id);
    if (isOurs && id > this.#read && !this.#isOpen) this.#unread += 1;
    if (this.#isOpen) this.#seen();
    this.#count();
  }

  /** A text of this tab: `sending`, `stored` or `refused`. */
  showPending({ id, text, at, state }) {
    const shown = this.#texts.get(id);
    if (shown) return this.#settle(shown, state);
    const bubble = this.#bubble("you", text);
    this.#add(at, bubble, id);
    this.#toEnd();
    bubble.classList.add("is-pending");
    setTimeout(() => bubble.classList.contains("is-pending") && this.#say(bubble, this.#words.waiting), WAITING_AFTER_MS);
    return undefined;
  }

  #settle(bubble, state) {
    if (state === "sending") return;
    bubble.classList.remove("is-pending");
    if (state === "refused") this.#say(bubble, this.#words.refused);
    else bubble.querySelector(".fate")?.remove();
  }

  /** A text was shown at once, by this machine's clock; the server's is the one that counts. */
  #correct(bubble, when) {
    const divider = bubble.previousElementSibling;
    if (divider?.classList.contains("when")) divider.replaceWith(this.#divider(when));
    if (bubble.nextElementSibling === this.#dots) this.#lastAt = when;
  }

  #say(bubble, words) {
    bubble.querySelector(".fate")?.remove();
    bubble.append(h("span", { class: "fate" }, words));
    this.#status.textContent = words;
  }

  showTyping() {
    if (this.#dots.hidden) this.#status.textContent = this.#words.typing;
    const follow = this.#isAtEnd();
    this.#dots.hidden = false;
    if (follow) this.#toEnd();
    clearTimeout(this.#timers.typing);
    this.#timers.typing = setTimeout(() => this.#hideTyping(), TYPING_MS);
  }

  #hideTyping() {
    this.#dots.hidden = true;
    if (this.#status.textContent === this.#words.typing) this.#status.textContent = "";
  }

  // --- lines ---

  #welcome() {
    return h("p", { class: "welcome" }, this.#words.welcome);
  }

  #bubble(from, text) {
    const words = this.#words;
    const who = from === "you" ? h("span", { class: "unseen" }, words.you)
      : from === "person" ? h("span", { class: "who" }, words.person)
      : h("span", { class: "unseen" }, `${this.#name}: `);
    const said = h("span", { class: "said" }, ...(from === "you" ? [text] : linked(text, words.newTab)));
    return h("div", { class: `line from-${from}` }, who, said);
  }

  #add(at, bubble, id) {
    const follow = this.#isAtEnd();
    if (id) this.#texts.set(id, bubble);
    const when = Date.parse(at);
    if (Math.abs(when - this.#lastAt) > GAP_MS) this.#log.insertBefore(this.#divider(when), this.#dots);
    this.#lastAt = when;
    this.#log.insertBefore(bubble, this.#dots);
    if (follow) this.#toEnd();
  }

  #divider(when) {
    const isToday = new Date(when).toDateString() === new Date().toDateString();
    const day = isToday ? {} : { weekday: "short", month: "short", day: "numeric" };
    const words = new Date(when).toLocaleString(this.#words.locale, { ...day, hour: "numeric", minute: "2-digit" });
    return h("p", { class: "when" }, words);
  }

  #isAtEnd() {
    return this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 60;
  }

  #toEnd() {
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #grow() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${Math.min(this.#field.scrollHeight, TALLEST_PX)}px`;
  }

  // --- reading ---

  #seen() {
    this.#unread = 0;
    if (this.#newest > this.#read) this.#markRead((this.#read = this.#newest));
    this.#count();
  }

  #count() {
    const { open, openUnread } = this.#words;
    this.#badge.hidden = this.#unread === 0;
    this.#badge.textContent = this.#unread > 9 ? "9+" : String(this.#unread);
    this.#launcher.setAttribute("aria-label", this.#unread ? openUnread(this.#unread) : open);
  }
}
