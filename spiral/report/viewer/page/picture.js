// A side as one SVG: title, graph with its activation maps, boundary map.

import { svg } from "./dom.js";
import { nameOf } from "./stats.js";

const MAP = 420, GAP = 16, HEAD = 56;
const LOOKS = [
  "stroke", "stroke-dasharray", "stroke-width", "stroke-linecap", "opacity", "fill",
  "font-size", "font-weight", "paint-order",
];

/** The text of an SVG file. Looks are copied from the page, so that it stands alone. */
export function picture(side) {
  const { nodes, edges, canvas, box: [width, height] } = side.graph.drawing();
  const high = Math.max(MAP, height), look = getComputedStyle(side.root);
  const root = svg("svg", {
    xmlns: "http://www.w3.org/2000/svg", width: width + MAP + 3 * GAP, height: high + HEAD + GAP,
    "font-family": "system-ui, sans-serif", fill: look.color,
  });
  root.append(svg("rect", { width: "100%", height: "100%", fill: look.backgroundColor }));
  const { accuracy, nnz, effective } = side.parts;
  const numbers = `accuracy ${accuracy.textContent}, ${nnz.textContent} weights, ` +
    `${effective.textContent} on a path${side.state.made ? `; ${side.state.made}` : ""}`;
  root.append(
    svg("text", { x: GAP, y: 26, "font-size": 18, "font-weight": 600 }, nameOf(side.row)),
    svg("text", { x: GAP, y: 46, "font-size": 13 }, numbers),
  );
  const graph = svg("g", { transform: `translate(${GAP},${HEAD + (high - height) / 2})` });
  graph.append(svg("image", { href: canvas.toDataURL(), width, height }));
  for (const { line } of edges) graph.append(styled(line));
  for (const { group } of nodes) {
    for (const part of group.children) graph.append(styled(part));
  }
  const square = { x: width + 2 * GAP, y: HEAD + (high - MAP) / 2, width: MAP, height: MAP };
  const map = svg("image", { href: side.map.picture(2 * MAP).toDataURL(), ...square });
  root.append(graph, map);
  return new XMLSerializer().serializeToString(root);
}

/** A copy that needs no style sheet. */
function styled(node) {
  const copy = node.cloneNode(true), look = getComputedStyle(node);
  copy.removeAttribute("class");
  for (const name of LOOKS) {
    copy.setAttribute(name, look.getPropertyValue(name));
  }
  return copy;
}
