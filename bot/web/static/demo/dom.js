// Small helpers for building the page and talking to its server.

export const el = (id) => document.getElementById(id);

/** An element with attributes and children; `on…` are listeners, `class` and `data-…` as in HTML. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** Sets text only when it differs, so that nothing is announced or painted twice. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export const initials = (name) => name.split(/\s+/).map((part) => part[0]).slice(0, 2).join("").toUpperCase();

export function tone(text) {
  let sum = 0;
  for (const char of text) sum += char.codePointAt(0);
  return sum % 5;
}

let toastTimer = 0;

export function toast(text, kind = "news") {
  const node = el("toast");
  node.hidden = false;
  node.dataset.kind = kind;
  say(node, text);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { node.hidden = true; }, 5000);
}

/** POSTs JSON and gives the answer; a refusal becomes a toast and `null`. */
export async function send(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (response.ok) return answer;
    toast(typeof answer.error === "string" ? answer.error : "That did not work.", "problem");
  } catch {
    toast("The demo does not answer. Is it still running?", "problem");
  }
  return null;
}

/** Makes `nodes` the children of `list`, moving only what is not in place yet: what stays is not announced again. */
export function place(list, nodes) {
  nodes.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
  while (list.children.length > nodes.length) list.lastElementChild.remove();
}

/** Whether the list shows its newest entry, so that it may follow the next one. */
export const atEnd = (list) => list.scrollHeight - list.scrollTop - list.clientHeight < 48;
