// Puts the parts together: one feed in, a few posts out.

import * as clock from "./clock.js";
import * as day from "./day.js";
import { el, say, send, toast } from "./dom.js";
import * as people from "./people.js";
import * as phone from "./phone.js";
import * as slack from "./slack.js";

const settings = JSON.parse(el("settings").textContent);
const state = { selected: "", ready: false, wasReady: false, received: {}, seen: null, posts: 0 };
let feed = null;

// --- what comes in ------------------------------------------------------------------------------

const sections = {
  clock: clock.tell,
  readiness,
  world,
  day(value) {
    people.tell(value);
    day.tell(value);
    if (!state.selected && people.firstPick()) choose(settings.phone || people.firstPick(), { quiet: true });
    else phone.open(state.selected, people.find(state.selected));
  },
  news(value) {
    state.received = value.received;
    state.seen ??= { ...value.received };
  },
  phone: phone.tell,
  channel(value) {
    const before = slack.count();
    slack.tell(value);
    if (view() !== "slack" && before > 0) state.posts += Math.max(0, slack.count() - before);
  },
};

function take(news) {
  // The clock first: the others tell times by it.
  for (const name of Object.keys(sections)) if (name in news) sections[name](news[name]);
  show();
}

function listen() {
  feed?.close();
  feed = new EventSource(`/demo/feed?phone=${encodeURIComponent(state.selected)}`);
  feed.addEventListener("state", (event) => take(JSON.parse(event.data)));
  feed.addEventListener("error", () => status("away", "The demo does not answer. Trying again"));
}

// --- how it stands ------------------------------------------------------------------------------

function status(kind, words) {
  el("readiness").dataset.state = kind;
  say(el("readiness-words"), words);
  el("warming").hidden = kind !== "warming";
}

let readinessSeen = null;

function readiness(value) {
  readinessSeen = value;
  state.ready = value.ready;
  if (value.ready) {
    state.wasReady = true;
    status("ready", "Doorline is ready");
  } else if (state.wasReady) {
    status("away", value.parts.database === false ? "The database is away. Texts wait" : "The language model is away. Texts wait");
  } else {
    const stage = value.stage ? `${value.stage}, about 30 s` : "about 30 s";
    status("warming", `Warming up. ${stage[0].toUpperCase()}${stage.slice(1)}`);
  }
}

function world(value) {
  if (!value.reachable) status("warming", "Starting the pretended world");
  else if (readinessSeen) readiness(readinessSeen);
}

// --- what the person does -------------------------------------------------------------------------

const unread = (number) => (number === state.selected ? 0 : Math.max(0, (state.received[number] ?? 0) - (state.seen?.[number] ?? 0)));

function choose(number, { quiet = false } = {}) {
  const isOther = number !== state.selected;
  state.selected = number;
  phone.open(number, people.find(number));
  if (isOther) {
    const address = new URL(location.href);
    address.searchParams.set("phone", number);
    history.replaceState(null, "", address);
    listen();
  }
  el("people").classList.remove("is-open");
  if (!quiet) turnTo("phone");
  show();
}

const view = () => document.querySelector(".stage").dataset.view;

function turnTo(name) {
  document.querySelector(".stage").dataset.view = name;
  for (const tab of document.querySelectorAll(".tabs button")) {
    if (tab.dataset.view === name) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
  if (name === "slack") state.posts = 0;
}

function badge(name, number) {
  const node = document.querySelector(`[data-badge="${name}"]`);
  node.hidden = number === 0;
  say(node, String(number));
}

async function intervene(button) {
  button.disabled = true;
  const kind = button.dataset.intervene;
  const outcome = await send("/demo/intervene", kind === "fail" ? { kind, reason: el("fail-reason").value } : { kind });
  button.disabled = false;
  if (!outcome) return;
  toast(outcome.said);
  if (outcome.driver_ref) day.point(outcome.driver_ref);
  // What it leads to is a text: whoever did it should see it come.
  if (outcome.phone) choose(outcome.phone);
}

function wire() {
  phone.start(async (body) => {
    const sent = phone.text(body);
    show();
    await sent;
    show();
  });
  slack.start(settings.dispatchers);
  slack.startCommands();
  day.start((number) => choose(number));
  el("speed").addEventListener("change", async (event) => {
    const told = await send("/demo/speed", { speed: Number(event.target.value) });
    if (told) clock.tell(told);
  });
  el("day-do").addEventListener("click", (event) => {
    const button = event.target.closest("[data-intervene]");
    if (button) intervene(button);
  });
  for (const tab of document.querySelectorAll(".tabs button")) tab.addEventListener("click", () => { turnTo(tab.dataset.view); show(); });
  el("people-search").addEventListener("input", () => show());
  el("people-open").addEventListener("click", () => {
    el("people").classList.toggle("is-open");
    el("people-search").focus({ preventScroll: true });
  });
  el("people-close").addEventListener("click", () => el("people").classList.remove("is-open"));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") el("people").classList.remove("is-open"); });
}

// --- drawing --------------------------------------------------------------------------------------

function show() {
  if (state.seen && state.selected) state.seen[state.selected] = state.received[state.selected] ?? 0;
  people.show({ selected: state.selected, unread, choose });
  phone.show({ ready: state.ready });
  day.mark(state.selected, unread);
  const texted = Object.keys(state.received).filter((number) => unread(number) > 0).length;
  badge("phone", texted);
  badge("slack", state.posts);
  badge("day", 0);
}

wire();
take(JSON.parse(el("first-state").textContent));
if (!feed) listen();
setInterval(() => { clock.show(); day.show(); phone.show({ ready: state.ready }); }, 500);
