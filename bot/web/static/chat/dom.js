// Building nodes. Text is only ever text: nothing that somebody wrote becomes markup.

const SVG = "http://www.w3.org/2000/svg";
const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/gi;

export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** The text as nodes, web addresses as links that open beside the page. */
export function linked(text, newTab) {
  const nodes = [];
  let from = 0;
  for (const { 0: address, index } of text.matchAll(LINK)) {
    const hint = h("span", { class: "unseen" }, ` ${newTab}`);
    nodes.push(text.slice(from, index), h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, address, hint));
    from = index + address.length;
  }
  return [...nodes, text.slice(from)].filter((node) => node !== "");
}
