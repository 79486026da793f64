// What a stop's state is called and coloured, and the recipients behind the stops.

import { clockWords, windowWords } from "./clock.js";

const CLOSED = { delivered: "delivered", failed: "failed", returned: "failed", cancelled: "failed" };
export const WORDS = {
  planned: "Planned", van: "On the van", arriving: "Arriving", risk: "At risk", delivered: "Delivered", failed: "Failed",
};
export const GLYPHS = { delivered: "g-check", failed: "g-cross", risk: "g-bang", arriving: "g-near" };

/** The colour of a stop: what happened to it, else whether its promise holds, else where it is. */
export function stateOf(stop) {
  if (stop.status in CLOSED) return CLOSED[stop.status];
  if (stop.moved) return "planned";
  if (stop.late) return "risk";
  if (stop.status === "arriving") return "arriving";
  return stop.status === "out_for_delivery" ? "van" : "planned";
}

export const isOpen = (stop) => !(stop.status in CLOSED);

export function stateWords(stop) {
  const state = stateOf(stop);
  if (stop.moved) return `Moved to ${windowWords(stop.window_start, stop.window_end)}`;
  if (state === "delivered") return stop.eta ? `Delivered ${clockWords(stop.eta)}${stop.late ? ", late" : ""}` : "Delivered";
  if (state === "failed") return stop.status === "failed" ? "Delivery failed" : WORDS.failed;
  const about = stop.eta ? `, about ${clockWords(stop.eta)}` : "";
  return `${WORDS[state]}${about}`;
}

/** Every recipient once, with all their stops, next delivery first. */
export function recipients(day) {
  const people = new Map();
  for (const route of day.routes) {
    for (const stop of route.stops) {
      const person = people.get(stop.phone) ?? { phone: stop.phone, name: stop.name, stops: [] };
      person.stops.push(stop);
      people.set(stop.phone, person);
    }
  }
  for (const person of people.values()) person.stops.sort(byExpected);
  return [...people.values()].sort((one, other) => byExpected(nextStop(one), nextStop(other)));
}

export const nextStop = (person) => person.stops.find(isOpen) ?? person.stops[person.stops.length - 1];

const byExpected = (one, other) =>
  isOpen(other) - isOpen(one) || Date.parse(one.eta ?? one.window_end) - Date.parse(other.eta ?? other.window_end);

/** Three people worth a newcomer's first text: soon, later, and one with two parcels where there is one. */
export function suggested(people) {
  const waiting = people.filter((person) => person.stops.some((stop) => isOpen(stop) && !stop.moved));
  const two = waiting.find((person) => person.stops.filter(isOpen).length > 1);
  const soon = waiting.filter((person) => person !== two && stateOf(nextStop(person)) !== "risk");
  // Not the very next ones: they are delivered before anybody has read the page.
  const picks = [soon[Math.floor(soon.length * 0.2)], two, soon[Math.floor(soon.length * 0.6)], ...soon];
  return [...new Set(picks.filter(Boolean))].slice(0, 3).map((person) => person.phone);
}
