// Where the units and edges of a graph stand: inputs on the left, output on the right.

import { eachWeight, INPUTS } from "./network.js";

export const MOST_EDGES = 1600; // more would neither draw smoothly nor be told apart

/** Sizes in the picture's own units, which are CSS pixels. */
export function layout({ width, mask }, { roles }, pruned, box) {
  const shown = [
    [...Array(INPUTS).keys()],
    ...roles.map((row) => [...row.keys()].filter((unit) => pruned || row[unit] !== "absent")),
    [0],
  ];
  const sizes = shown.map((units, layer) => sizeOf(units.length, layer, box));
  const left = sizes[0] / 2 + 10, right = box.width - sizes[4] / 2 - 10;
  const nodes = shown.flatMap((units, layer) => {
    const size = sizes[layer], gap = Math.min(box.height / Math.max(units.length, 3), 1.5 * size);
    return units.map((unit, i) => ({
      layer, unit, size,
      x: left + (layer * (right - left)) / 4,
      y: box.height / 2 + (i - (units.length - 1) / 2) * gap,
    }));
  });
  const at = new Map(nodes.map((node) => [`${node.layer},${node.unit}`, node]));
  const edges = [];
  eachWeight(width, (place, layer, to, from) => {
    if (!mask[place] && !pruned) return;
    const start = at.get(`${layer},${from}`), stop = at.get(`${layer + 1},${to}`);
    if (start && stop) edges.push({ place, layer, to, from, start, stop });
  });
  return { nodes, edges, smallest: Math.min(...sizes) };
}

/** Side of a unit's square: as large as its layer has room for. */
function sizeOf(units, layer, { width, height }) {
  const most = width / (layer === 4 ? 7 : 8.5);
  return Math.max(3, Math.min((0.78 * height) / Math.max(units, 3), most));
}

/** The largest weights, where there are too many edges to draw. */
export function strongest(edges, { params, mask }) {
  if (edges.length <= MOST_EDGES) return edges;
  const weight = ({ place }) => (mask[place] ? 1e9 : 0) + Math.abs(params[place]);
  return [...edges].sort((a, b) => weight(b) - weight(a)).slice(0, MOST_EDGES)
    .sort((a, b) => a.place - b.place);
}

/** The path of an edge, leaving and arriving level. */
export function curve({ start, stop }) {
  const x0 = start.x + start.size / 2, x1 = stop.x - stop.size / 2;
  const bend = 0.42 * (x1 - x0), round = (v) => Math.round(v * 10) / 10;
  return `M${round(x0)} ${round(start.y)}C${round(x0 + bend)} ${round(start.y)} ` +
    `${round(x1 - bend)} ${round(stop.y)} ${round(x1)} ${round(stop.y)}`;
}

/** Width of an edge: the root of |w|, so that weak weights remain visible. */
export function thickness(weight, largest, { smallest, edges }) {
  const most = (1.2 + smallest / 11) * Math.min(1, Math.sqrt(90 / edges.length));
  return 0.6 + most * Math.sqrt(Math.abs(weight) / (largest || 1));
}

export function unitName(layer, unit) {
  if (layer === 0) return `input x${unit + 1}`;
  return layer === 4 ? "output" : `unit ${layer}.${unit + 1}`;
}
