// What a network computes on a square piece of the plane: logits, one unit, zero lines.
// A view is {x, y, half, most}: its centre, half its side, and half that of the window of
// the task. Rows run from top to bottom.

import { BLOCK, forward } from "./network.js";

/** All of a task, whose window reaches so far; no view reaches further. */
export const wholeOf = (most) => ({ x: 0, y: 0, half: most, most });

/** Call visit(first, n) for each block of pixels, once net holds what they give. */
function overGrid(net, view, size, depth, visit) {
  const [x, y] = net.h[0];
  const step = (2 * view.half) / size;
  for (let row = 0; row < size; row++) {
    for (let start = 0; start < size; start += BLOCK) {
      const n = Math.min(BLOCK, size - start);
      y.fill(view.y + view.half - (row + 0.5) * step, 0, n);
      for (let i = 0; i < n; i++) x[i] = view.x - view.half + (start + i + 0.5) * step;
      forward(net, n, depth);
      visit(row * size + start, n);
    }
  }
}

/** What one unit receives (its activation is the positive part); the output's is z. */
export function fieldOf(net, view, size, [layer, unit] = [4, 0]) {
  const found = new Float32Array(size * size);
  const from = layer ? net.z[layer - 1][unit] : net.h[0][unit];
  if (!from) return found;
  overGrid(net, view, size, layer, (first, n) => found.set(from.subarray(0, n), first));
  return found;
}

/** The fields of all units at once, small: [layer 0 … 4][unit]. */
export function thumbnails(net, size, whole) {
  const rows = [net.h[0], ...net.z];
  const found = rows.map((row) => row.map((unit) => unit && new Float32Array(size * size)));
  overGrid(net, whole, size, 4, (first, n) => {
    rows.forEach((row, layer) => row.forEach((unit, i) => {
      if (unit) found[layer][i].set(unit.subarray(0, n), first);
    }));
  });
  return found;
}

/**
 * Where hidden units switch on: for each layer the coverage (0 … 255) of a pixel by the
 * zero lines of its units. A line is as thin as the change of z from pixel to pixel says.
 */
export function zeroLines(net, view, size) {
  const found = [0, 1, 2].map(() => new Uint8Array(size * size));
  const above = net.z.slice(0, 3).map((row) => row.map((unit) => unit && new Float64Array(size).fill(NaN)));
  const left = above.map((row) => row.map(() => NaN));
  overGrid(net, view, size, 3, (first, n) => {
    const start = first % size;
    for (let layer = 0; layer < 3; layer++) {
      net.z[layer].forEach((z, unit) => {
        if (!z) return;
        const before = start ? left[layer][unit] : NaN;
        cover(found[layer], first, n, z, above[layer][unit].subarray(start), before);
        left[layer][unit] = z[n - 1];
      });
    }
  });
  return found;
}

function cover(plane, first, n, z, above, before) {
  for (let i = 0; i < n; i++) {
    const here = z[i];
    const across = here - before, down = here - above[i]; // NaN at the first of a row
    const slope = (across ** 2 || 0) + (down ** 2 || 0);
    if (here * here < 1.7 * slope) {
      const alpha = 255 * Math.min(1, Math.max(0, 1.3 - Math.abs(here) / Math.sqrt(slope)));
      if (alpha > plane[first + i]) plane[first + i] = alpha;
    }
    above[i] = before = here;
  }
}
