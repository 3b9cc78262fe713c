// Training: SGD with momentum and L2 penalty on mean binary cross-entropy, a batch at a
// time; the recipe of spiral's engines. Parameters are float32, sums float64.

import { layersOf } from "./network.js";

/** Learning-rate factor of an epoch (spiral/schedules.py). */
export const SCHEDULES = {
  constant: () => 1,
  cosine: (epoch, epochs) => (1 + Math.cos((Math.PI * epoch) / epochs)) / 2,
  step: (epoch, epochs) => 0.1 ** ((10 * epoch >= 3 * epochs) + (10 * epoch >= 6 * epochs)),
};

/** A trainer of one masked network; params is changed in place. */
export function trainer({ params, mask, width }, batch) {
  const layers = layersOf(width).map((layer) => ({ ...layer, edges: edgesOf(layer, mask) }));
  const room = (size) => Array.from({ length: size }, () => new Float64Array(batch));
  const h = [room(2), ...layers.map((layer) => room(layer.outputs))];
  const delta = layers.map((layer) => room(layer.outputs));
  const kept = Array.from(params.keys()).filter((place) => mask[place]);
  const gradient = new Float64Array(params.length);
  const momentum = new Float32Array(params.length);

  /** Gradient of the mean loss of the points chosen from `points`. */
  function slope(points, chosen) {
    for (let i = 0; i < batch; i++) {
      h[0][0][i] = points.x[chosen[i]];
      h[0][1][i] = points.y[chosen[i]];
    }
    layers.forEach((layer, depth) => push(layer, params, mask, h[depth], h[depth + 1], depth < 3));
    const z = h[4][0], top = delta[3][0];
    for (let i = 0; i < batch; i++) {
      top[i] = (1 / (1 + Math.exp(-z[i])) - points.label[chosen[i]]) / batch;
    }
    for (let depth = 3; depth >= 0; depth--) {
      const below = depth ? delta[depth - 1] : null;
      pull(layers[depth], params, gradient, h[depth], delta[depth], below);
    }
    return gradient;
  }

  /** One step on a batch. */
  function step(points, chosen, { lr, momentum: inertia, decay }) {
    slope(points, chosen);
    const rate = Math.fround(lr);
    for (const place of kept) {
      const g = gradient[place] + decay * params[place];
      momentum[place] = inertia * momentum[place] + g;
      params[place] -= rate * momentum[place];
    }
  }
  return { slope, step, params };
}

function edgesOf({ outputs, inputs, weights }, mask) {
  const edges = [];
  for (let place = weights; place < weights + outputs * inputs; place++) {
    if (mask[place]) {
      edges.push({ place, to: Math.floor((place - weights) / inputs), from: (place - weights) % inputs });
    }
  }
  return edges;
}

/** Forward through a layer. */
function push({ edges, biases, outputs }, params, mask, before, after, rectified) {
  for (let to = 0; to < outputs; to++) after[to].fill(mask[biases + to] ? params[biases + to] : 0);
  for (const { place, to, from } of edges) {
    const w = params[place], a = before[from], z = after[to];
    for (let i = 0; i < z.length; i++) z[i] += w * a[i];
  }
  if (!rectified) return;
  for (const z of after) for (let i = 0; i < z.length; i++) if (z[i] < 0) z[i] = 0;
}

/** Backward through a layer: gradients of its parameters, then delta of the one below. */
function pull({ edges, biases, outputs }, params, gradient, before, delta, below) {
  for (let to = 0; to < outputs; to++) {
    let sum = 0;
    for (const value of delta[to]) sum += value;
    gradient[biases + to] = sum;
  }
  below?.forEach((row) => row.fill(0));
  for (const { place, to, from } of edges) {
    const d = delta[to], a = before[from];
    let sum = 0;
    for (let i = 0; i < d.length; i++) sum += d[i] * a[i];
    gradient[place] = sum;
    if (!below) continue;
    const w = params[place], back = below[from];
    for (let i = 0; i < d.length; i++) back[i] += w * d[i];
  }
  below?.forEach((row, unit) => {
    const a = before[unit];
    for (let i = 0; i < row.length; i++) if (!(a[i] > 0)) row[i] = 0;
  });
}
