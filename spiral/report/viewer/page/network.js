// The network 2→w→w→w→1: where its parameters lie, and its forward pass.
// Parameters are one flat vector W1, b1, W2, b2, … (spiral/model/mlp.py). Everything is
// computed in float64, a block of inputs at a time, along kept edges only.

export const INPUTS = 2;
export const BLOCK = 256; // inputs of a block: 48 units × 2 × 2 KB stay in the L2 cache

const known = new Map();

/** The four layers: sizes, and the first places of weights and biases. */
export function layersOf(width) {
  if (known.has(width)) return known.get(width);
  let place = 0;
  const found = [[width, INPUTS], [width, width], [width, width], [1, width]].map(
    ([outputs, inputs]) => {
      const layer = { outputs, inputs, weights: place, biases: place + outputs * inputs };
      place = layer.biases + outputs;
      return layer;
    },
  );
  known.set(width, found);
  return found;
}

export function paramCount(width) {
  return layersOf(width)[3].biases + 1;
}

/** Call visit(place, layer, to, from) for every weight. */
export function eachWeight(width, visit) {
  layersOf(width).forEach(({ outputs, inputs, weights }, layer) => {
    for (let to = 0; to < outputs; to++) {
      for (let from = 0; from < inputs; from++) {
        visit(weights + to * inputs + from, layer, to, from);
      }
    }
  });
}

/**
 * Turn mask and parameters into lists of kept edges with room for a block of inputs.
 * Units that nothing leads to or from are left out, but for the output.
 */
export function compile({ params, mask, width }) {
  const layers = layersOf(width);
  const units = layers.map((layer, depth) => {
    const after = layers[depth + 1];
    return Array.from({ length: layer.outputs }, (_, to) => {
      const from = [], weights = [];
      for (let i = 0; i < layer.inputs; i++) {
        const place = layer.weights + to * layer.inputs + i;
        if (mask[place]) {
          from.push(i);
          weights.push(params[place]);
        }
      }
      const bias = mask[layer.biases + to] ? params[layer.biases + to] : 0;
      const used = !after || from.length || leaves(mask, after, to);
      return { bias, from, weights: Float64Array.from(weights), used: Boolean(used) };
    });
  });
  const room = () => new Float64Array(BLOCK);
  const z = units.map((row) => row.map((unit) => (unit.used ? room() : null)));
  const h = [[room(), room()], ...z.slice(0, 3).map((row) => row.map((u) => u && room()))];
  return { width, units, pairs: units.map(pairsOf), z, h };
}

/** Units of a layer by twos where both hear the same ones, else alone. */
function pairsOf(row) {
  const used = [...row.keys()].filter((unit) => row[unit].used), found = [];
  for (let i = 0; i < used.length; i++) {
    const [unit, next] = [used[i], used[i + 1]];
    const alike = next !== undefined && row[unit].from.join() === row[next].from.join();
    found.push(alike ? [unit, next] : [unit]);
    if (alike) i++;
  }
  return found;
}

function leaves(mask, after, unit) {
  for (let to = 0; to < after.outputs; to++) {
    if (mask[after.weights + to * after.inputs + unit]) return true;
  }
  return false;
}

/**
 * Compute the first n inputs in net.h[0] up to layer `depth`; net.z holds what units
 * receive, net.h what they pass on. Returns the logits (room that is used again).
 */
export function forward(net, n, depth = 4) {
  for (let layer = 0; layer < depth; layer++) {
    const before = net.h[layer], after = net.h[layer + 1];
    const units = net.units[layer], z = net.z[layer];
    for (const [one, other] of net.pairs[layer]) {
      if (other === undefined) gather(z[one], units[one], before, n);
      else gatherTwo(z[one], z[other], units[one], units[other], before, n);
      if (after) rectify(z[one], after[one], n);
      if (after && other !== undefined) rectify(z[other], after[other], n);
    }
  }
  return net.z[3][0];
}

/** z = bias + Σ weight · input, four inputs at a time so that z stays in registers. */
function gather(z, { bias, from, weights }, inputs, n) {
  const whole = from.length & ~3;
  z.fill(bias, 0, n);
  for (let k = 0; k < whole; k += 4) {
    const a = inputs[from[k]], b = inputs[from[k + 1]];
    const c = inputs[from[k + 2]], d = inputs[from[k + 3]];
    const u = weights[k], v = weights[k + 1], w = weights[k + 2], x = weights[k + 3];
    for (let i = 0; i < n; i++) z[i] += (u * a[i] + v * b[i]) + (w * c[i] + x * d[i]);
  }
  for (let k = whole; k < from.length; k++) {
    const a = inputs[from[k]], w = weights[k];
    for (let i = 0; i < n; i++) z[i] += w * a[i];
  }
}

/** The same for two units that hear the same ones: every input is loaded once. */
function gatherTwo(y, z, one, other, inputs, n) {
  const { from, weights: u } = one, v = other.weights;
  y.fill(one.bias, 0, n);
  z.fill(other.bias, 0, n);
  let k = 0;
  for (; k + 2 < from.length; k += 3) {
    const a = inputs[from[k]], b = inputs[from[k + 1]], c = inputs[from[k + 2]];
    const [u0, u1, u2] = [u[k], u[k + 1], u[k + 2]], [v0, v1, v2] = [v[k], v[k + 1], v[k + 2]];
    for (let i = 0; i < n; i++) {
      const p = a[i], q = b[i], r = c[i];
      y[i] += u0 * p + (u1 * q + u2 * r);
      z[i] += v0 * p + (v1 * q + v2 * r);
    }
  }
  for (; k < from.length; k++) {
    const a = inputs[from[k]], p = u[k], q = v[k];
    for (let i = 0; i < n; i++) {
      y[i] += p * a[i];
      z[i] += q * a[i];
    }
  }
}

function rectify(z, h, n) {
  for (let i = 0; i < n; i++) h[i] = Math.max(z[i], 0);
}

/** Call visit(start, n, logits) for every block of inputs. */
export function sweep(net, x, y, visit) {
  const [a, b] = net.h[0];
  for (let start = 0; start < x.length; start += BLOCK) {
    const n = Math.min(BLOCK, x.length - start);
    a.set(x.subarray(start, start + n));
    b.set(y.subarray(start, start + n));
    visit(start, n, forward(net, n));
  }
}

/** The logits of some points. */
export function logits(net, x, y) {
  const found = new Float64Array(x.length);
  sweep(net, x, y, (start, n, z) => found.set(z.subarray(0, n), start));
  return found;
}

/** What a network gets right of all points, its loss, and how often each unit fires. */
export function measure(net, { x, y, label, count }) {
  let correct = 0, loss = 0;
  const fires = net.units.slice(0, 3).map((row) => new Float64Array(row.length));
  sweep(net, x, y, (start, n, z) => {
    for (let i = 0; i < n; i++) {
      const signed = label[start + i] ? -z[i] : z[i];
      if (signed < 0) correct++;
      loss += Math.max(signed, 0) + Math.log1p(Math.exp(-Math.abs(signed)));
    }
    fires.forEach((row, layer) => row.forEach((_, unit) => {
      const h = net.h[layer + 1][unit];
      for (let i = 0; h && i < n; i++) if (h[i] > 0) row[unit]++;
    }));
  });
  fires.forEach((row) => row.forEach((times, unit) => { row[unit] = times / count; }));
  return { correct, loss: loss / count, fires };
}
