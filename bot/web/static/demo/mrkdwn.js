// Slack's markup -> nodes. Nothing becomes HTML: every piece is text in an element of ours.

import { h, icon } from "./dom.js";

const DRAWN = new Set(["red_circle", "large_yellow_circle", "large_green_circle", "white_check_mark", "eyes", "zzz", "warning"]);
const PLAIN = { bell: "🔔", package: "📦", truck: "🚚", phone: "📞", speech_balloon: "💬", rotating_light: "🚨", hourglass: "⏳", arrows_counterclockwise: "🔄",
  inbox_tray: "📥", no_entry_sign: "🚫", no_entry: "⛔", bust_in_silhouette: "👤", scales: "⚖️", rocket: "🚀", electric_plug: "🔌",
  hourglass_flowing_sand: "⏳", white_circle: "⚪", clock3: "🕒", pencil2: "✏️", grey_question: "❔",
  double_vertical_bar: "⏸️", arrow_forward: "▶️", arrow_right: "➡️", bar_chart: "📊", busts_in_silhouette: "👥", x: "❌" };
const PIECES = new RegExp([
  "(?<angle><[^<>\\n]+>)",
  "(?<emoji>:[a-z0-9_+-]+:)",
  "(?<code>`[^`\\n]+`)",
  "(?<bold>(?<![\\w*])\\*(?=\\S)[^*\\n]*?\\S?\\*(?![\\w*]))",
  "(?<italic>(?<![\\w_])_(?=\\S)[^_\\n]*?\\S?_(?![\\w_]))",
  "(?<strike>(?<![\\w~])~(?=\\S)[^~\\n]*?\\S?~(?![\\w~]))",
].join("|"), "gu");

const decoded = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** `context.names` are display names by user id, `context.me` the dispatcher who looks. */
export function mrkdwn(text, context) {
  return h("div", { class: "mrkdwn" }, ...lines(text, context));
}

function lines(text, context) {
  return text.split("\n").map((line) => {
    // A typed mark arrives escaped; two of them are Doorline's own sign for "to the recipient", not a quote.
    const quote = /^(?:>|&gt;(?!\s*&gt;))\s*(?<words>.*)$/u.exec(line);
    if (quote) return h("blockquote", {}, ...inline(quote.groups.words, context));
    return h("div", { class: line.startsWith("• ") ? "bullet" : false }, ...(line ? inline(line, context) : ["\u00a0"]));
  });
}

export function inline(text, context) {
  const nodes = [];
  let position = 0;
  for (const match of text.matchAll(PIECES)) {
    if (match.index > position) nodes.push(decoded(text.slice(position, match.index)));
    nodes.push(piece(match, context));
    position = match.index + match[0].length;
  }
  if (position < text.length) nodes.push(decoded(text.slice(position)));
  return nodes;
}

function piece(match, context) {
  const whole = match[0];
  const inner = whole.slice(1, -1);
  const { angle, emoji: name, code, bold, italic } = match.groups;
  if (angle) return reference(inner, context);
  if (name) return emoji(inner);
  if (code) return h("code", {}, decoded(inner));
  return h(bold ? "b" : italic ? "em" : "s", {}, ...inline(inner, context));
}

export function emoji(name) {
  const words = name.replaceAll("_", " ");
  if (DRAWN.has(name)) return h("span", { class: "emoji", role: "img", "aria-label": words }, icon(`e-${name}`));
  return name in PLAIN ? h("span", { class: "emoji", role: "img", "aria-label": words }, PLAIN[name]) : `:${name}:`;
}

function reference(inner, context) {
  const [target, label] = inner.split("|");
  if (target.startsWith("@")) {
    const id = target.slice(1);
    const isMe = id === context.me;
    return h("span", { class: `mention${isMe ? " is-me" : ""}` }, `@${decoded(label ?? context.names[id] ?? id)}`);
  }
  if (target.startsWith("!subteam")) return h("span", { class: "mention" }, decoded(label ?? "@on-call"));
  if (target.startsWith("!date")) return decoded(label ?? "");
  if (target.startsWith("!")) return h("span", { class: "mention" }, `@${decoded(label ?? target.slice(1)).replace(/^@/u, "")}`);
  if (target.startsWith("#")) return h("span", { class: "mention" }, `#${decoded(label ?? target.slice(1))}`);
  if (/^(https?|mailto|tel):/u.test(target)) return h("a", { href: decoded(target), target: "_blank", rel: "noopener noreferrer" }, decoded(label ?? target));
  return decoded(`<${inner}>`);
}
