// What Python embedded: for each task its points, and networks with masks and weights.

import { paramCount } from "./network.js";
import { buildPoints } from "./points.js";
import { initialParams } from "./random.js";

export function fromBase64(text) {
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

export function toBase64(bytes) {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return btoa(binary);
}

/** A mask from bits, first parameter in the highest bit (`masks.from_bits`). */
export function fromBits(bits, size) {
  return Uint8Array.from({ length: size }, (_, i) => (bits[i >> 3] >> (7 - (i & 7))) & 1);
}

export function toBits(mask) {
  const bits = new Uint8Array((mask.length + 7) >> 3);
  mask.forEach((kept, i) => { bits[i >> 3] |= kept << (7 - (i & 7)); });
  return bits;
}

/** The kept of all parameters, and back. */
export function unpack(mask, kept) {
  const params = new Float32Array(mask.length);
  let place = 0;
  mask.forEach((here, i) => { if (here) params[i] = kept[place++]; });
  return params;
}

export function pack({ mask, params }) {
  return params.filter((_, i) => mask[i]);
}

/** Read the embedded document, a list of tasks: columns become one object per network. */
export function readData(document_) {
  const { columns, masks, weights, initial, tasks, source } = document_;
  const names = Object.keys(columns);
  const bits = fromBase64(masks), floats = new Float32Array(fromBase64(weights).buffer);
  let bit = 0, float = 0;
  const networks = columns.id.map((_, index) => {
    const net = { index };
    for (const name of names) net[name] = columns[name][index];
    net.place = { bit, float };
    bit += (paramCount(net.width) + 7) >> 3;
    float += net.nnz_params;
    return net;
  });
  const drawn = initial.map((text) => new Float32Array(fromBase64(text).buffer));

  /** Mask and parameters as the row has them. */
  function modelOf(net) {
    const size = paramCount(net.width), { bit: at, float: from } = net.place;
    const mask = fromBits(bits.subarray(at, at + ((size + 7) >> 3)), size);
    const params = unpack(mask, floats.subarray(from, from + net.nnz_params));
    return { width: net.width, mask, params };
  }

  /** The parameters that a row's training began with; null where nobody knows. */
  function initialOf(net) {
    if (net.init !== null) return drawn[net.init];
    return net.init_seed === null ? null : initialParams(net.init_seed, net.width);
  }

  return tasks.map((task) => {
    const own = networks.filter((net) => net.task === task.name);
    const byId = new Map(own.map((net) => [net.id, net]));
    const points = buildPoints(task.points);
    return { ...task, source, recipe: task.points, points, networks: own, byId, modelOf, initialOf, ...bestOf(own) };
  });
}

/** Which networks of a task are the best known. */
function bestOf(networks) {
  const frontier = networks.filter((net) => net.method === "frontier");

  const leader = (nets, worse) =>
    nets.reduce((best, net) => (best && !worse(best, net) ? best : net), null);

  /** The best known network with at most this many weights that is no wider. */
  function bestOfSize(nnz, width = Infinity, kinds = ["any", "protocol"]) {
    const rivals = frontier.filter((net) =>
      net.nnz <= nnz && net.width <= width && kinds.includes(net.kind));
    return leader(rivals, (best, net) => best.accuracy < net.accuracy);
  }

  /** The smallest known network that reaches an accuracy, and the best of that size. */
  function smallestThatReaches(accuracy) {
    return leader(frontier.filter((net) => net.accuracy >= accuracy), (best, net) =>
      best.nnz > net.nnz || (best.nnz === net.nnz && best.accuracy < net.accuracy));
  }
  return { bestOfSize, smallestThatReaches };
}
