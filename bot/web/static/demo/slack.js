// The dispatchers' channel: Block Kit drawn, reactions, buttons, windows, threads, quiet notes.

import { clockWords, dayWords, now } from "./clock.js";
import { atEnd, el, h, icon, initials, place, send, tone } from "./dom.js";
import * as modal from "./modal.js";
import { emoji, inline, mrkdwn } from "./mrkdwn.js";

const OFFERED = [["eyes", "I have it"], ["white_check_mark", "Resolve"]];

let channel = null;
let isFirst = true;
const posts = new Map();
const drafts = new Map();
const openThreads = new Set();
const context = { names: {}, me: "" };

export function start(people) {
  context.names = Object.fromEntries(people.map((person) => [person.id, person.name]));
  const choice = el("dispatcher");
  const kept = sessionStorage.getItem("dispatcher");
  if (kept && kept in context.names) choice.value = kept;
  context.me = choice.value;
  modal.start();
  choice.addEventListener("change", () => {
    context.me = choice.value;
    sessionStorage.setItem("dispatcher", choice.value);
    posts.clear();
    draw();
  });
}

/** What is typed under the channel: `/doorline …`, as in Slack. */
export function startCommands() {
  const form = el("command");
  const input = el("command-text");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text || !channel) return;
    const answer = await send("/demo/command", { channel: channel.id, user: context.me, text });
    if (answer === null) return;
    input.value = "";
    if (answer.view) modal.open(answer.view, context);
  });
}

export const count = () => channel?.messages.length ?? 0;

export function tell(state) {
  channel = state;
  el("slack-name").textContent = state.name;
  draw();
  isFirst = false;
}

function draw() {
  if (!channel) return;
  const list = el("posts");
  const follow = isFirst || atEnd(list);
  const focused = document.activeElement?.closest?.("[data-focus]")?.dataset.focus;
  const items = [...channel.messages, ...whispers()].sort((one, other) => Number(one.ts) - Number(other.ts));
  const nodes = items.map((item) => kept(item));
  for (const key of [...posts.keys()]) if (!items.some((item) => keyOf(item) === key)) posts.delete(key);
  if (nodes.length === 0) nodes.push(h("p", { class: "blank" }, "Nothing here needs a person. When a stop is about to miss its window, it shows up in this channel, once."));
  place(list, nodes);
  if (focused) list.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  if (follow) list.scrollTop = list.scrollHeight;
}

const whispers = () => channel.ephemerals.filter((one) => one.user === context.me).map((one) => ({ ...one, whisper: true }));

const keyOf = (item) => `${item.whisper ? "whisper" : "post"} ${item.ts}`;

function kept(item) {
  const key = keyOf(item);
  const content = JSON.stringify([item, openThreads.has(item.ts), context.me]);
  const before = posts.get(key);
  if (before?.content === content) return before.node;
  const node = item.whisper ? whisper(item) : post(item);
  if (!before && !isFirst) node.classList.add("is-new");
  if (before && before.edition !== edition(item)) node.classList.add("is-changed");
  posts.set(key, { node, content, edition: edition(item) });
  return node;
}

const edition = (item) => JSON.stringify([item.text, item.blocks]);

// --- one message --------------------------------------------------------------------------------

function when(date) {
  const day = dayWords(date) === dayWords(now()) ? "" : `${dayWords(date)}, `;
  return h("time", { datetime: date }, `${day}${clockWords(date)}`);
}

function face(message) {
  if (!message.is_bot) {
    return h("span", { class: "avatar post-avatar", "data-tone": tone(message.user_name), "aria-hidden": "true" }, initials(message.user_name));
  }
  const mark = icon("i-bot");
  mark.classList.add("post-avatar");
  return mark;
}

function post(message) {
  const name = message.is_bot ? "Doorline" : message.user_name;
  return h("article", { class: "post" },
    face(message),
    h("div", { class: "post-body" },
      h("div", { class: "post-top" }, h("b", {}, name), message.is_bot ? h("span", { class: "post-app" }, "APP") : null, when(message.at),
        message.edited ? h("span", { class: "edited" }, "edited") : null),
      ...body(message),
      reactions(message),
      ...thread(message)),
    tools(message));
}

function body(message) {
  // What people type comes as rich text too; its markup says the same.
  const isDrawn = message.blocks.length > 0 && message.blocks.every((block) => block.type !== "rich_text");
  return isDrawn ? message.blocks.map((block) => drawBlock(block, message)) : [mrkdwn(message.text, context)];
}

function drawBlock(block, message) {
  if (block.type === "section") return section(block, message);
  if (block.type === "context") return h("div", { class: "context" }, block.elements.map((element) => textObject(element)));
  if (block.type === "actions") return h("div", { class: "actions" }, block.elements.map((element) => button(element, message)));
  if (block.type === "header") return h("div", { class: "header-block" }, block.text.text);
  if (block.type === "divider") return h("hr");
  return null;
}

function section(block, message) {
  const parts = [];
  if (block.text) parts.push(textObject(block.text));
  if (block.fields) parts.push(h("div", { class: "fields" }, block.fields.map(textObject)));
  if (block.accessory?.type === "button") parts.push(h("div", { class: "actions" }, button(block.accessory, message)));
  return h("div", { class: "section" }, parts);
}

function textObject(object) {
  if (object.type === "image") return null;
  return object.type === "plain_text" ? h("div", { class: "mrkdwn" }, object.text) : mrkdwn(object.text, context);
}

function button(element, message) {
  if (element.type !== "button") return null;
  const node = h("button", {
    type: "button", class: "press", "data-style": element.style ?? "", "data-focus": `${message.ts} ${element.action_id}`,
    onclick: async () => {
      if (element.confirm && !window.confirm(`${element.confirm.title.text}\n\n${element.confirm.text.text}`)) return;
      node.disabled = true;
      const answer = await send("/demo/press", { channel: channel.id, ts: message.ts, user: context.me, action_id: element.action_id });
      node.disabled = false;
      if (answer?.view) modal.open(answer.view, context);
    },
  }, ...inline(element.text.text, context));
  return node;
}

// --- reactions ------------------------------------------------------------------------------------

function react(message, name, remove) {
  return send("/demo/react", { channel: channel.id, ts: message.ts, name, user: context.me, remove });
}

const mine = (message, name) => message.reactions.some((one) => one.name === name && one.users.includes(context.me));

function reactions(message) {
  if (message.reactions.length === 0) return null;
  return h("div", { class: "reactions" }, message.reactions.map((reaction) => {
    const isMine = reaction.users.includes(context.me);
    const people = reaction.users.map((id) => context.names[id] ?? "Doorline").join(", ");
    return h("button", {
      type: "button", class: "reaction", "aria-pressed": String(isMine), title: people, "data-focus": `${message.ts} chip ${reaction.name}`,
      "aria-label": `${reaction.name.replaceAll("_", " ")}: ${people}`,
      onclick: () => react(message, reaction.name, isMine),
    }, emoji(reaction.name), String(reaction.users.length));
  }));
}

function tools(message) {
  if (!message.is_bot) return null;
  return h("div", { class: "post-tools" }, OFFERED.map(([name, words]) => h("button", {
    type: "button", title: mine(message, name) ? `Take back: ${words}` : words, "data-focus": `${message.ts} tool ${name}`,
    "aria-pressed": String(mine(message, name)),
    onclick: () => react(message, name, mine(message, name)),
  }, emoji(name), words)));
}

// --- threads and quiet notes ------------------------------------------------------------------------

function thread(message) {
  const replies = message.replies;
  const isOpen = openThreads.has(message.ts);
  if (replies.length === 0 && !message.is_bot) return [];
  const words = replies.length === 0 ? "Write in the thread" : replies.length === 1 ? "1 reply" : `${replies.length} replies`;
  const toggle = h("button", {
    type: "button", class: "thread-toggle", "aria-expanded": String(isOpen), "data-focus": `${message.ts} thread`,
    onclick: () => {
      if (isOpen) openThreads.delete(message.ts);
      else openThreads.add(message.ts);
      draw();
    },
  }, isOpen ? "Hide thread" : words, h("small", {}, isOpen || replies.length === 0 ? "" : `last ${clockWords(replies[replies.length - 1].at)}`));
  if (!isOpen) return [toggle];
  return [toggle, h("ul", { class: "thread" }, replies.map((reply) => h("li", {},
    h("b", {}, reply.is_bot ? "Doorline" : reply.user_name), when(reply.at), ...body(reply)))), writing(message)];
}

/** The thread's own input. What is typed survives the redrawing of its message. */
function writing(message) {
  const input = h("input", {
    class: "field", name: "text", maxlength: 4000, autocomplete: "off", "data-focus": `${message.ts} writing`,
    "aria-label": "Write in the thread", placeholder: "A note, or >> words for the recipient",
    oninput: () => drafts.set(message.ts, input.value),
  });
  input.value = drafts.get(message.ts) ?? "";
  return h("form", {
    class: "thread-write",
    onsubmit: async (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (!text) return;
      const said = await send("/demo/say", { channel: channel.id, thread_ts: message.ts, user: context.me, text });
      if (said === null) return;
      drafts.delete(message.ts);
      input.value = "";
    },
  }, input, h("button", { class: "press" }, "Send"));
}

function whisper(note) {
  const at = new Date(Number(note.ts) * 1000).toISOString();
  return h("article", { class: "post whisper" }, face({ is_bot: true }),
    h("div", { class: "post-body" },
      h("div", { class: "whisper-note" }, "Only visible to you"),
      h("div", { class: "post-top" }, h("b", {}, "Doorline"), h("span", { class: "post-app" }, "APP"), when(at)),
      mrkdwn(note.text, context)));
}
