// Masks (Uint8Array over all parameters): the bias rule, paths, units, keep the largest.

import { eachWeight, layersOf, INPUTS } from "./network.js";

/** Set the biases of a mask: a unit's is kept iff the unit has a kept outgoing weight. */
export function withBiases(mask, width) {
  const layers = layersOf(width), found = mask.slice();
  layers.forEach((layer, depth) => {
    found.fill(depth === 3 ? 1 : 0, layer.biases, layer.biases + layer.outputs);
  });
  eachWeight(width, (place, depth, to, from) => {
    if (depth && mask[place]) found[layers[depth - 1].biases + from] = 1;
  });
  return found;
}

/** Which units an input reaches, and which reach the output, layer by layer. */
function reach(mask, width) {
  const sizes = [INPUTS, width, width, width, 1];
  const reached = sizes.map((size, i) => new Uint8Array(size).fill(i === 0));
  const needed = sizes.map((size, i) => new Uint8Array(size).fill(i === 4));
  const kept = [];
  eachWeight(width, (place, depth, to, from) => {
    if (mask[place]) kept.push([depth, to, from]);
  });
  for (const [depth, to, from] of kept) reached[depth + 1][to] |= reached[depth][from];
  for (const [depth, to, from] of kept.reverse()) needed[depth][from] |= needed[depth + 1][to];
  return { reached, needed };
}

/**
 * Counts of a mask, its weights that are not on a path from an input to the output, and
 * the role of every hidden unit: live; constant (no input reaches it); dead (it does not reach the
 * output); absent (it has no kept weight at all).
 */
export function anatomy(mask, width) {
  const { reached, needed } = reach(mask, width);
  const useful = new Uint8Array(mask.length), touched = reached.map((row) => row.map(() => 0));
  let nnz = 0, effective = 0;
  eachWeight(width, (place, depth, to, from) => {
    if (!mask[place]) return;
    useful[place] = reached[depth][from] && needed[depth + 1][to];
    nnz += 1;
    effective += useful[place];
    touched[depth][from] = touched[depth + 1][to] = 1;
  });
  const role = (depth, unit) => {
    if (!touched[depth][unit]) return "absent";
    if (!needed[depth][unit]) return "dead";
    return reached[depth][unit] ? "live" : "constant";
  };
  const roles = [1, 2, 3].map((depth) => Array.from({ length: width }, (_, u) => role(depth, u)));
  const params = mask.reduce((sum, kept) => sum + kept, 0);
  return { nnz, effective, params, useful, roles };
}

/** Of the weights in `pool`, keep the `keep` largest; of equals the first. */
export function keepTop(params, pool, keep, width) {
  const places = [];
  eachWeight(width, (place) => { if (pool[place]) places.push(place); });
  places.sort((a, b) => Math.abs(params[b]) - Math.abs(params[a]) || a - b);
  const mask = new Uint8Array(params.length);
  for (const place of places.slice(0, keep)) mask[place] = 1;
  return withBiases(mask, width);
}
