// The network as a graph: SVG edges and units over a canvas of activation maps.

import { set, svg } from "./dom.js";
import { canvasOf, paintInput, paintLogits, paintUnit } from "./paint.js";
import { curve, layout, strongest, thickness, unitName } from "./layout.js";
import { handleEdges, handleUnits } from "./interactions.js";

const ROLES = {
  live: "", constant: "constant: no input reaches it", dead: "dead: it does not reach the output",
  absent: "no weight kept", silent: "silent: zero on all points",
};

/** A graph in a box; `on` is called on hover, focus, toggle, drag and select. */
export function makeGraph(root, on) {
  const canvas = root.querySelector("canvas"), picture = root.querySelector("svg");
  let drawn = null, nodes = [], edges = [], shape = "", now = null, scratch = null;

  function build(side, pruned) {
    const box = { width: root.clientWidth, height: root.clientHeight };
    drawn = layout(side.model, side.anatomy, pruned, box);
    const all = drawn.edges.length;
    drawn.edges = strongest(drawn.edges, side.model);
    drawn.omitted = all - drawn.edges.length;
    set(picture, "viewBox", `0 0 ${box.width} ${box.height}`);
    edges = drawn.edges.map((edge) => {
      const path = { d: curve(edge) };
      const hit = svg("path", { ...path, class: "hit" }), line = svg("path", { ...path, class: "line" });
      const role = { role: "slider", tabindex: -1, class: "edge", "data-place": edge.place };
      const group = svg("g", role, hit, line);
      return { ...edge, group, line };
    });
    nodes = drawn.nodes.map((node) => {
      const { size } = node, x = node.x - size / 2, y = node.y - size / 2;
      const frame = svg("rect", { x, y, width: size, height: size, rx: cornerOf(size) });
      const mark = svg("path", { class: "mark" });
      const group = svg("g", { role: "button", tabindex: -1, class: "unit" }, frame, mark);
      const name = svg("text", { x: x + 4, y: y + size - 5 }, `x${"₁₂"[node.unit]}`);
      if (node.layer === 0) group.append(name);
      return { ...node, group, mark };
    });
    const many = edges.length > 200 ? "edges many" : "edges";
    const wires = svg("g", { class: many }, ...edges.map(({ group }) => group));
    const units = svg("g", { class: "units" }, ...nodes.map(({ group }) => group));
    picture.replaceChildren(wires, units);
    handleEdges(edges, on);
    handleUnits(nodes, on);
    for (const first of [edges[0], nodes[0]]) if (first) set(first.group, "tabindex", 0);
  }

  function dress(side) {
    const { params, mask } = side.model;
    const size = ({ place }) => (mask[place] ? Math.abs(params[place]) : 0);
    const largest = edges.reduce((top, edge) => Math.max(top, size(edge)), 0);
    for (const edge of edges) {
      const { place, line, group } = edge, w = params[place], kept = mask[place];
      const fate = kept ? (side.anatomy.useful[place] ? "" : " idle") : " pruned";
      const chosen = side.selected === place ? " selected" : "";
      set(group, "class", `edge ${w < 0 ? "minus" : "plus"}${fate}${chosen}`);
      set(line, "stroke-width", kept ? thickness(w, largest, drawn).toFixed(2) : 1);
      const text = kept ? w.toFixed(3) + (side.anatomy.useful[place] ? "" : ", not on a path") : "pruned";
      const [start, stop] = [unitName(edge.layer, edge.from), unitName(edge.layer + 1, edge.to)];
      set(group, "aria-label", `weight from ${start} to ${stop}`);
      set(group, "aria-valuenow", Number.isFinite(w) ? +w.toFixed(4) : 0);
      set(group, "aria-valuemin", -100);
      set(group, "aria-valuemax", 100);
      set(group, "aria-valuetext", text);
    }
    for (const node of nodes) dressUnit(node, side);
  }

  function dressUnit({ layer, unit, group, mark, x, y, size }, side) {
    const role = roleOf(side, layer, unit);
    const share = side.measured?.fires[layer - 1]?.[unit];
    const fires = share === undefined ? "" : `, fires on ${(100 * share).toFixed(0)} % of points`;
    const chosen = side.selected === `${layer},${unit}` ? " selected" : "";
    set(group, "class", `unit layer-${layer} ${role}${chosen}`);
    set(group, "aria-label", `${unitName(layer, unit)}${ROLES[role] ? `, ${ROLES[role]}` : ""}${fires}`);
    const a = size * 0.3;
    set(mark, "d", role === "dead" || role === "silent"
      ? `M${x - a} ${y - a}L${x + a} ${y + a}M${x + a} ${y - a}L${x - a} ${y + a}`
      : role === "constant" ? `M${x - a} ${y - a / 2}H${x + a}M${x - a} ${y + a / 2}H${x + a}` : null);
  }

  /** The small maps, beneath the frames. */
  function paint(thumbs, size) {
    const ratio = devicePixelRatio || 1;
    const wide = Math.round(root.clientWidth * ratio), high = Math.round(root.clientHeight * ratio);
    if (canvas.width !== wide || canvas.height !== high) {
      Object.assign(canvas, { width: wide, height: high });
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, root.clientWidth, root.clientHeight);
    for (const { layer, unit, x, y, size: side } of nodes) {
      const z = thumbs[layer][unit];
      if (!z) continue;
      pen.save();
      pen.beginPath();
      pen.roundRect(x - side / 2, y - side / 2, side, side, cornerOf(side));
      pen.clip();
      scratch = canvasOf(painterOf(layer)(z, size), scratch);
      pen.drawImage(scratch, x - side / 2, y - side / 2, side, side);
      pen.restore();
    }
  }

  return {
    /** Draw a side anew; what stands is kept where only weights changed. */
    update(side, pruned) {
      now = side;
      const kept = pruned ? "all" : side.model.mask.join("");
      const next = [side.model.width, kept, root.clientWidth, root.clientHeight].join("|");
      const held = picture.contains(document.activeElement) && document.activeElement.dataset.place;
      if (next !== shape) build(side, pruned);
      shape = next;
      dress(side);
      if (held) (edges.find(({ place }) => place >= +held) ?? edges[0])?.group.focus();
    },
    paint,
    refresh: () => now && nodes.forEach((node) => dressUnit(node, now)),
    /** Dim what is silent at a point; null: at none. */
    signal(alive) {
      const dim = (group, layer, unit) =>
        group.classList.toggle("off", Boolean(alive && !alive(layer, unit)));
      for (const { layer, unit, group } of nodes) dim(group, layer, unit);
      for (const { layer, from, group } of edges) dim(group, layer, from);
    },
    /** How many edges are too weak to be drawn. */
    omitted: () => drawn.omitted,
    drawing: () => ({ nodes, edges, canvas, box: [root.clientWidth, root.clientHeight] }),
  };
}

const cornerOf = (size) => Math.min(7, size / 6);

export function painterOf(layer) {
  return [paintInput, paintUnit, paintUnit, paintUnit, paintLogits][layer];
}

/** What to call a unit: its place in the graph, or that it never fires. */
export function roleOf(side, layer, unit) {
  if (layer === 0 || layer === 4) return "live";
  const role = side.anatomy.roles[layer - 1][unit];
  return role === "live" && side.measured?.fires[layer - 1][unit] === 0 ? "silent" : role;
}
