// The phone: bubbles, typing dots, and what was sent but is not there yet.

import { clockWords, dayWords, now } from "./clock.js";
import { atEnd, el, h, initials, place, say, send, tone } from "./dom.js";
import { about } from "./people.js";

const PATIENCE_MS = 30_000;
const GAP_MS = 20 * 60_000;
const IDEAS = ["where is my delivery", "not home today, can you come tomorrow after 5?", "can I talk to a person"];
const FATES = { queued: "", sending: "", sent: "", delivered: "Delivered", undelivered: "Not delivered", failed: "Not sent" };

let phone = "";
let messages = null;
let known = new Set();
let pending = [];
let waitingSince = 0;
let drawn = "";
let nodes = new Map();

const isTheirs = (message) => message.direction === "inbound";

export function open(number, person) {
  if (number !== phone) {
    [phone, messages, known, pending, waitingSince, drawn, nodes] = [number, null, new Set(), [], 0, "", new Map()];
    el("texts").replaceChildren();
  }
  if (!person) return;
  say(el("phone-name"), person.name);
  say(el("phone-about"), about(person));
  say(el("phone-avatar"), initials(person.name));
  el("phone-avatar").dataset.tone = tone(person.name);
}

export function tell(state) {
  if (state.phone !== phone) return;
  const isFirst = messages === null;
  const before = isFirst ? 0 : messages.filter(isTheirs).length;
  messages = state.messages;
  const arrived = messages.filter(isTheirs).length - before;
  if (isFirst) known = new Set(messages.map((message) => message.sid));
  else {
    // The bubble stood there already while it was on its way.
    if (pending.length) for (const message of messages.filter(isTheirs)) known.add(message.sid);
    pending = pending.slice(arrived);
    if (arrived > 0 && waitingSince === 0) waitingSince = performance.now();
  }
  const last = messages[messages.length - 1];
  if (last && !isTheirs(last) && pending.length === 0) waitingSince = 0;
}

export async function text(body) {
  pending.push(body);
  waitingSince = performance.now();
  if ((await send("/demo/text", { phone, body })) === null) {
    pending = pending.filter((one) => one !== body);
    waitingSince = 0;
  }
}

export function show({ ready }) {
  const waits = waitingSince > 0 && performance.now() - waitingSince < PATIENCE_MS;
  enable(phone !== "");
  const key = JSON.stringify([messages, pending, waits, ready]);
  if (key === drawn) return;
  drawn = key;
  const list = el("texts");
  const follow = atEnd(list) || pending.length > 0;
  place(list, [...bubbles(), ...(waits ? waiting(ready) : [])]);
  for (const message of messages ?? []) known.add(message.sid);
  if (follow) list.scrollTop = list.scrollHeight;
}

function enable(isOpen) {
  for (const control of document.querySelectorAll("#compose input, #compose button, #ideas button")) {
    if (control.disabled === isOpen) control.disabled = !isOpen;
  }
}

/** The node made for `key` before, so that nothing is read out or animated twice. */
function once(key, make) {
  if (!nodes.has(key)) nodes.set(key, make());
  return nodes.get(key);
}

function bubbles() {
  if (messages === null) return phone ? [] : [blank("Choose a recipient to text as.")];
  if (messages.length + pending.length === 0) return [blank("No texts yet. Ask where the parcel is, move it, or leave instructions.")];
  return [
    ...messages.flatMap((message, index) => [...divider(message, messages[index - 1]), bubble(message)]),
    ...fate(messages[messages.length - 1]),
    ...pending.map((body, index) => once(`pending ${index} ${body}`, () => h("div", { class: "bubble from-them is-pending" }, body))),
  ];
}

const blank = (words) => once(words, () => h("p", { class: "blank" }, words));

function fate(last) {
  if (!last || isTheirs(last) || !FATES[last.status]) return [];
  const isBad = last.status === "failed" || last.status === "undelivered";
  return [once(`fate ${last.status}`, () => h("span", { class: `fate${isBad ? " is-bad" : ""}` }, FATES[last.status]))];
}

function divider(message, before) {
  const at = Date.parse(message.at);
  if (before && at - Date.parse(before.at) < GAP_MS) return [];
  const day = dayWords(at) === dayWords(now()) ? "" : `${dayWords(at)}, `;
  return [once(`when ${message.sid}`, () => h("span", { class: "when" }, `${day}${clockWords(at)}`))];
}

function bubble(message) {
  const side = isTheirs(message) ? "from-them" : "from-us";
  const who = isTheirs(message) ? "You: " : "Doorline: ";
  return once(message.sid, () => h("div", { class: `bubble ${side}${known.has(message.sid) ? " is-old" : ""}` },
    h("span", { class: "visually-hidden" }, who), message.body));
}

function waiting(ready) {
  const dots = once("dots", () => h("div", { class: "typing", role: "img", "aria-label": "Doorline is typing" }, h("i"), h("i"), h("i")));
  const note = () => h("span", { class: "waiting" }, "The language model is warming up. Your text is kept.");
  return ready ? [dots] : [dots, once("warming", note)];
}

export function start(say) {
  const form = el("compose");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = form.body.value.trim();
    form.body.value = "";
    if (body) say(body);
  });
  el("ideas").replaceChildren(...IDEAS.map((idea) => h("button", { type: "button", disabled: true, onclick: () => say(idea) }, idea)));
}
