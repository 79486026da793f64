// The pretended clock: told now and then by the server, run on here in between.

import { el, say } from "./dom.js";

let told = null;
let heardAt = 0;
let zone = "UTC";
const formats = new Map();

function formatted(date, key, options) {
  const name = `${key} ${zone}`;
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat("en-US", { timeZone: zone, ...options }));
  return formats.get(name).format(date);
}

export const isRunning = () => told !== null;

/** The pretended present, as a Date. */
export function now() {
  if (told === null) return new Date();
  return new Date(told.at + (performance.now() - heardAt) * told.speed);
}

/** `1:42 pm` */
export const clockWords = (date) =>
  formatted(new Date(date), "clock", { hour: "numeric", minute: "2-digit" }).replace(/\s/u, " ").toLowerCase();

/** `2 pm`, `2:30 pm` */
export const shortWords = (date) => clockWords(date).replace(":00", "");

export const dayWords = (date) => formatted(new Date(date), "day", { weekday: "short", month: "short", day: "numeric" });

const isToday = (date) => dayWords(date) === dayWords(now());

/** `2-4 pm`, with the day in front when it is not today. */
export function windowWords(start, end) {
  const [from, to] = [shortWords(start), shortWords(end)];
  const sameHalf = from.slice(-2) === to.slice(-2);
  const words = `${sameHalf ? from.slice(0, -3) : from}-${to}`;
  return isToday(start) ? words : `${dayWords(start)}, ${words}`;
}

/** The hour of the day in the pretended zone, for the axis: milliseconds past the full hour. */
export function pastTheHour(date) {
  const minute = Number(formatted(new Date(date), "minute", { minute: "numeric" }));
  return minute * 60_000 + (new Date(date).getTime() % 60_000);
}

export function tell(state) {
  told = { at: Date.parse(state.now), speed: state.speed };
  zone = state.timezone;
  heardAt = performance.now();
  for (const choice of document.querySelectorAll("#speed input")) choice.checked = Number(choice.value) === state.speed;
  show();
}

export function show() {
  if (told === null) return;
  const date = now();
  say(el("clock-day"), dayWords(date));
  say(el("clock-time"), clockWords(date));
}
