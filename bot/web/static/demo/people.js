// The list of recipients: who can be texted as.

import { windowWords } from "./clock.js";
import { el, h, initials, tone } from "./dom.js";
import { isOpen, nextStop, recipients, stateOf, stateWords, suggested } from "./stops.js";

let people = [];
let picks = [];
let drawn = "";

export const find = (phone) => people.find((person) => person.phone === phone);

export const firstPick = () => picks[0] ?? people[0]?.phone ?? "";

export function tell(day) {
  people = recipients(day);
  // Kept once chosen: a list that reorders itself under the hand is no list.
  if (picks.length === 0) picks = suggested(people);
}

export function show({ selected, unread, choose }) {
  const wanted = el("people-search").value.trim().toLowerCase();
  const groups = wanted ? [["Found", people.filter((person) => matches(person, wanted))]] : grouped(unread);
  const key = JSON.stringify([selected, groups.map(([title, group]) => [title, group.map((person) => line(person, unread))])]);
  if (key === drawn) return;
  drawn = key;
  const list = el("people-list");
  const [top, focused] = [list.scrollTop, document.activeElement?.dataset?.phone];
  list.replaceChildren(...groups.filter(([, group]) => group.length).flatMap(([title, group]) => [
    h("li", {}, h("h3", {}, title)),
    ...group.map((person) => h("li", {}, entry(person, selected, unread, choose))),
  ]));
  if (people.length && !list.children.length) list.append(h("li", { class: "people-none" }, "Nobody by that name today."));
  list.scrollTop = top;
  if (focused) list.querySelector(`[data-phone="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function grouped(unread) {
  const texted = people.filter((person) => unread(person.phone) > 0).slice(0, 5);
  const offered = picks.map(find).filter((person) => person && !texted.includes(person));
  const rest = people.filter((person) => !texted.includes(person) && !offered.includes(person));
  return [["Just texted", texted], ["Try one of these", offered], ["Everyone today", rest]];
}

const matches = (person, wanted) =>
  [person.name, person.phone, ...person.stops.flatMap((stop) => [stop.client, stop.address, stop.tracking])]
    .some((text) => text.toLowerCase().includes(wanted));

const line = (person, unread) => [person.phone, about(person), stateOf(nextStop(person)), unread(person.phone)];

/** `Acme, 2-4 pm`, or `2 parcels, 2-4 pm` */
export function about(person) {
  const stop = nextStop(person);
  const left = person.stops.filter(isOpen).length;
  return `${left > 1 ? `${left} parcels,` : `${stop.client},`} ${windowWords(stop.window_start, stop.window_end)}`;
}

function entry(person, selected, unread, choose) {
  const stop = nextStop(person);
  const news = unread(person.phone);
  return h("button", {
    type: "button", class: "person", "data-phone": person.phone, "data-state": stateOf(stop),
    "aria-current": person.phone === selected ? "true" : false,
    title: stateWords(stop), onclick: () => choose(person.phone),
  },
  h("span", { class: "avatar", "data-tone": tone(person.name), "aria-hidden": "true" }, initials(person.name)),
  h("b", {}, person.name),
  news ? h("span", { class: "count" }, String(news), h("span", { class: "visually-hidden" }, " new")) : h("span", { class: "state-dot" }),
  h("small", {}, about(person), h("span", { class: "visually-hidden" }, `, ${stateWords(stop)}`)));
}
