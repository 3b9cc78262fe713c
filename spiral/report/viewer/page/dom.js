// Making elements. Text goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) set(node, name, value);
  node.append(...children);
  return node;
}

/** Set an attribute; false, null and undefined take it away. Same values cost nothing. */
export function set(node, name, value) {
  if (value === false || value === null || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Elements of a template copy by their data-part. */
export function partsOf(root) {
  const found = {};
  for (const node of root.querySelectorAll("[data-part]")) found[node.dataset.part] = node;
  return found;
}

let announcing;

/** Announce a text to screen readers, once things are quiet; show it for a moment if asked. */
export function announce(text, shown = false) {
  clearTimeout(announcing);
  announcing = setTimeout(() => { document.getElementById("status").textContent = text; }, 400);
  if (!shown) return;
  const toast = document.getElementById("toast");
  toast.textContent = text;
  toast.classList.add("shown");
  setTimeout(() => toast.classList.remove("shown"), 2500);
}
