// A window that Doorline opened in the pretended Slack: Block Kit in a dialog, its errors beside the input.

import { el, h, send } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";

let view = null;
let user = "";

export function start() {
  const dialog = el("modal");
  dialog.addEventListener("close", () => {
    if (view) send("/demo/close", { user });
    view = null;
  });
}

/** `opened` is the view as the app described it, `context` as in mrkdwn.js. */
export function open(opened, context) {
  view = opened;
  user = context.me;
  const form = h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); submit(); } },
    h("h3", { id: "modal-title" }, opened.title.text),
    ...opened.blocks.map((block) => drawn(block, context)),
    h("div", { class: "modal-do" },
      h("button", { type: "button", class: "press", onclick: () => el("modal").close() }, opened.close?.text ?? "Cancel"),
      opened.submit ? h("button", { class: "press", "data-style": "primary" }, opened.submit.text) : null));
  el("modal").replaceChildren(form);
  el("modal").showModal();
  form.querySelector("[data-focus-first]")?.focus();
}

function drawn(block, context) {
  if (block.type === "input") return input(block);
  return block.type === "section" ? h("div", { class: "section" }, mrkdwn(block.text.text, context)) : null;
}

function input(block) {
  const id = `modal-${block.block_id}`;
  const hint = block.hint?.text ?? block.element.placeholder?.text;
  return h("div", { class: "modal-input" },
    h("label", { for: id }, block.label.text, block.optional ? h("small", {}, " optional") : null),
    control(block, id),
    h("p", { class: "modal-error", id: `${id}-error`, role: "alert" }),
    hint ? h("p", { class: "modal-hint", id: `${id}-hint` }, hint) : null);
}

/** The element as the browser has it. Each begins with what the app put in. */
function control({ element, block_id: block }, id) {
  const common = {
    id, "aria-describedby": `${id}-hint ${id}-error`,
    "data-block": block, "data-action": element.action_id, "data-focus-first": Boolean(element.focus_on_load),
  };
  if (element.type === "static_select") {
    const chosen = element.initial_option?.value;
    return h("select", common, h("option", { value: "" }, element.placeholder?.text ?? "Choose"),
      ...element.options.map((option) => h("option", { value: option.value, selected: option.value === chosen }, option.text.text)));
  }
  const kind = { datepicker: "date", timepicker: "time" }[element.type] ?? (element.multiline ? false : "text");
  const node = h(element.multiline ? "textarea" : "input", { ...common, type: kind, rows: element.multiline ? 3 : false, maxlength: element.max_length ?? false });
  node.value = element.initial_date ?? element.initial_time ?? element.initial_value ?? "";
  return node;
}

async function submit() {
  const inputs = [...el("modal").querySelectorAll("[data-block]")];
  const values = {};
  for (const node of inputs) values[node.dataset.block] = { [node.dataset.action]: node.value };
  const button = el("modal").querySelector("[data-style=primary]");
  button.disabled = true;
  const answer = await send("/demo/submit", { user, view_id: view.id, values });
  button.disabled = false;
  if (answer === null) return;
  for (const node of inputs) el(`${node.id}-error`).textContent = answer.errors[node.dataset.block] ?? "";
  if (answer.open) return;
  view = null;
  el("modal").close();
}
