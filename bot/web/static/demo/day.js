// The strip of routes: a lane for each driver, a cell for each stop where it is expected, a line for now.

import { clockWords, now, pastTheHour, shortWords, windowWords } from "./clock.js";
import { el, h, icon, say } from "./dom.js";
import { GLYPHS, isOpen, stateOf, stateWords, WORDS } from "./stops.js";

const HOUR = 3_600_000;
const WIDEST_CELL = 24;
const NARROWEST_CELL = 9;
// Cells together never fill more of a lane: the rest is time going by.
const LANE_SHARE = 0.62;

let day = null;
let range = null;
let choose = () => {};
const lanes = new Map();
const outages = new Map();
const axis = { ticks: h("div", { class: "ticks" }), word: h("span", { class: "now-word" }) };

export function start(select) {
  choose = select;
  el("strip").append(h("div", { class: "axis", "aria-hidden": "true" }, h("span"), axis.ticks));
  new ResizeObserver(() => layOut()).observe(axis.ticks);
  el("strip").addEventListener("scroll", hideTip, { passive: true });
}

export function tell(state) {
  day = state;
  for (const platform of day.platforms) outage(platform);
  stretch();
  for (const route of day.routes) lane(route);
  for (const [ref, one] of lanes) if (!day.routes.some((route) => route.driver_ref === ref)) drop(ref, one);
  summarise();
  layOut();
}

/** The button that takes a platform down, or brings it back. */
function outage(platform) {
  let button = outages.get(platform.name);
  if (!button) {
    button = h("button", { type: "button", class: "button" });
    outages.set(platform.name, button);
    el("day-do").append(button);
  }
  button.setAttribute("aria-pressed", String(platform.down));
  button.dataset.intervene = `${platform.name}_${platform.down ? "up" : "down"}`;
  say(button, platform.down ? `Bring ${platform.label} back` : `Take ${platform.label} down`);
}

const labelOf = (name) => day.platforms.find((platform) => platform.name === name)?.label ?? name;

function drop(ref, one) {
  one.node.remove();
  lanes.delete(ref);
}

const onRoute = (route) => route.stops.filter((stop) => !stop.moved);

const expected = (stop) => Date.parse(stop.eta ?? stop.window_end);

/** The axis holds every window of the day; once drawn it only grows, so that nothing jumps. */
function stretch() {
  const stops = day.routes.flatMap(onRoute);
  if (stops.length === 0) return;
  const first = Math.min(...stops.map((stop) => Math.min(Date.parse(stop.window_start), expected(stop))));
  const last = Math.max(...stops.map((stop) => Math.max(Date.parse(stop.window_end), expected(stop))));
  const from = Math.min(first - pastTheHour(first), range?.from ?? Infinity);
  const to = Math.max(last - pastTheHour(last) + (pastTheHour(last) ? HOUR : 0), range?.to ?? -Infinity);
  range = { from, to };
}

const share = (at) => (at - range.from) / (range.to - range.from);
const percent = (at) => `${(Math.min(Math.max(share(at), 0), 1) * 100).toFixed(3)}%`;

function summarise() {
  const stops = day.routes.flatMap(onRoute);
  const counted = (state) => stops.filter((stop) => stateOf(stop) === state).length;
  const parts = [`${stops.length} stops`, `${counted("delivered")} delivered`];
  for (const state of ["risk", "failed"]) if (counted(state)) parts.push(`${counted(state)} ${WORDS[state].toLowerCase()}`);
  for (const platform of day.platforms) if (platform.down) parts.push(`${platform.label} is down`);
  say(el("day-sum"), parts.join(", "));
}

// --- lanes ----------------------------------------------------------------------------------------

function lane(route) {
  let one = lanes.get(route.driver_ref);
  if (!one) {
    one = { cells: new Map(), band: null, about: h("small"), now: h("i", { class: "now" }), gone: h("i", { class: "gone" }) };
    one.track = h("div", { class: "track" }, one.gone, one.now);
    one.node = h("div", { class: "lane", role: "group", "aria-label": `${route.driver}, ${route.zone}` },
      h("div", { class: "who" }, h("b", {}, route.driver), one.about), one.track);
    lanes.set(route.driver_ref, one);
    el("strip").append(one.node);
  }
  const moved = route.stops.length - onRoute(route).length;
  const left = onRoute(route).filter(isOpen).length;
  const platform = day.platforms.length > 1 ? `, ${labelOf(route.platform)}` : "";
  say(one.about, `${route.zone}${platform}, ${left} to go${moved ? `, ${moved} moved` : ""}`);
  one.stops = onRoute(route);
  for (const stop of one.stops) cell(one, stop);
  for (const [id, node] of one.cells) if (!one.stops.some((stop) => stop.id === id)) { node.remove(); one.cells.delete(id); }
}

function cell(one, stop) {
  let node = one.cells.get(stop.id);
  if (!node) {
    node = h("button", { type: "button", class: "stop" });
    node.addEventListener("click", () => choose(node.stop.phone));
    for (const event of ["mouseenter", "focus"]) node.addEventListener(event, () => showTip(one, node));
    for (const event of ["mouseleave", "blur"]) node.addEventListener(event, hideTip);
    one.cells.set(stop.id, node);
    one.track.append(node);
  }
  node.stop = stop;
  const state = stateOf(stop);
  const label = `${stop.name}, ${stop.client}, window ${windowWords(stop.window_start, stop.window_end)}. ${stateWords(stop)}`;
  if (node.getAttribute("aria-label") !== label) node.setAttribute("aria-label", label);
  if (node.dataset.state !== state) {
    node.dataset.state = state;
    node.replaceChildren(...(GLYPHS[state] ? [icon(GLYPHS[state])] : []));
  }
}

/** Points at the stops of the chosen recipient, and at those whose recipient has unread texts. */
export function mark(selected, unread) {
  for (const one of lanes.values()) {
    for (const node of one.cells.values()) {
      node.classList.toggle("is-mine", node.stop.phone === selected);
      node.classList.toggle("has-news", unread(node.stop.phone) > 0);
    }
  }
}

export function point(driverRef) {
  for (const [ref, one] of lanes) one.node.classList.toggle("is-pointed", ref === driverRef);
}

// --- where things stand -----------------------------------------------------------------------------

function layOut() {
  const width = axis.ticks.clientWidth;
  if (!day || !range || width === 0) return;
  const most = Math.max(1, ...[...lanes.values()].map((one) => one.stops.length));
  const size = Math.max(NARROWEST_CELL, Math.min(WIDEST_CELL, Math.floor((width * LANE_SHARE) / most) - 2));
  for (const one of lanes.values()) {
    one.node.style.setProperty("--cell", `${size}px`);
    one.node.style.setProperty("--hour", `${(HOUR / (range.to - range.from)) * width}px`);
    const spots = spread(one.stops.map((stop) => share(expected(stop)) * width), size, width);
    one.stops.forEach((stop, index) => { one.cells.get(stop.id).style.left = `${spots[index].toFixed(1)}px`; });
  }
  drawTicks(width);
  show();
}

/** The wanted places, moved apart where two would touch; order and edges are kept. */
function spread(wanted, size, width) {
  const step = size + 2;
  const order = wanted.map((x, index) => [x, index]).sort((one, other) => one[0] - other[0]);
  let edge = size / 2;
  for (const spot of order) { spot[0] = Math.max(spot[0], edge); edge = spot[0] + step; }
  edge = width - size / 2;
  for (const spot of order.toReversed()) { spot[0] = Math.min(spot[0], edge); edge = spot[0] - step; }
  const spots = [];
  for (const [x, index] of order) spots[index] = x;
  return spots;
}

function drawTicks(width) {
  const hours = (range.to - range.from) / HOUR;
  const every = Math.ceil((hours * 46) / width);
  const ticks = [];
  for (let hour = 0; hour <= hours; hour += every) {
    const tick = h("span", {}, shortWords(range.from + hour * HOUR));
    tick.style.left = `${Math.min(Math.max((hour / hours) * width, 14), width - 16)}px`;
    ticks.push(tick);
  }
  axis.ticks.replaceChildren(...ticks, axis.word);
}

/** Moves the line of now. */
export function show() {
  if (!range) return;
  const at = now().getTime();
  const left = percent(at);
  say(axis.word, clockWords(at));
  const spot = Math.min(Math.max(share(at), 0), 1) * axis.ticks.clientWidth;
  for (const tick of axis.ticks.children) {
    if (tick !== axis.word) tick.classList.toggle("is-covered", Math.abs(parseFloat(tick.style.left) - spot) < 52);
  }
  axis.word.style.left = `min(max(${left}, 26px), calc(100% - 28px))`;
  for (const one of lanes.values()) {
    one.now.style.left = left;
    one.gone.style.width = left;
  }
}

// --- the tip ----------------------------------------------------------------------------------------

function showTip(one, node) {
  const stop = node.stop;
  const tip = el("tip");
  tip.replaceChildren(
    h("b", {}, stop.name), h("span", {}, `${stop.client}, ${stop.address}`),
    h("span", {}, `Window ${windowWords(stop.window_start, stop.window_end)}`),
    h("span", { class: "tip-state" }, stateWords(stop)),
  );
  tip.hidden = false;
  const box = node.getBoundingClientRect();
  const left = Math.min(Math.max(box.left + box.width / 2 - tip.offsetWidth / 2, 8), innerWidth - tip.offsetWidth - 8);
  tip.style.left = `${left}px`;
  tip.style.top = `${Math.max(8, box.top - tip.offsetHeight - 8)}px`;
  hideBand();
  one.band = h("i", { class: "band" });
  const [from, to] = [stop.window_start, stop.window_end].map((at) => Date.parse(at));
  one.band.style.left = percent(from);
  one.band.style.width = `${((Math.min(to, range.to) - from) / (range.to - range.from)) * 100}%`;
  one.track.prepend(one.band);
}

function hideBand() {
  for (const one of lanes.values()) { one.band?.remove(); one.band = null; }
}

function hideTip() {
  el("tip").hidden = true;
  hideBand();
}
