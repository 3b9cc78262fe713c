// The state as text behind the # of the address: a link that shows the same again.

import { fromBase64, fromBits, pack, toBase64, toBits, unpack } from "./data.js";
import { paramCount } from "./network.js";
import { fresh } from "./state.js";

const LONGEST = 200_000; // characters; browsers take more, mail programs do not
const SHOWN = { pruned: "p", lines: "z", data: "d" };

function encodeModel(model) {
  const bits = toBits(model.mask), kept = pack(model);
  const bytes = new Uint8Array(bits.length + 4 * kept.length);
  bytes.set(bits);
  bytes.set(new Uint8Array(kept.buffer), bits.length);
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decodeModel(text, width) {
  const bytes = fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
  const size = paramCount(width), first = (size + 7) >> 3;
  const mask = fromBits(bytes.subarray(0, first), size);
  const kept = new Float32Array(bytes.slice(first).buffer);
  if (kept.length !== mask.reduce((sum, bit) => sum + bit, 0)) throw new Error("not this network");
  return { width, mask, params: unpack(mask, kept) };
}

/** The name of the task that a text is of, if it names one. */
export function taskOf(text) {
  return new URLSearchParams(text.replace(/^#/, "")).get("task");
}

/** The network that a link names for a side: by its id; or by its method, perhaps with @
 *  and a number of weights, the most accurate one. */
export function linked(text, letter, data) {
  const name = new URLSearchParams(text.replace(/^#/, "")).get(letter) ?? "";
  const [method, size] = name.split("@");
  const own = data.networks.filter((net) => net.method === method && (!size || net.nnz === +size));
  const best = (a, b) => (a && a.accuracy >= b.accuracy ? a : b);
  return data.byId.get(name) ?? own.reduce(best, null);
}

/** The text of a state; null if it is too long for a link. The first task goes unnamed. */
export function encode({ sides, active, view, show }, task) {
  const parts = new URLSearchParams();
  sides.forEach((side, i) => {
    parts.set("ab"[i], side.id);
    if (side.made) {
      parts.set(`made-${"ab"[i]}`, side.made);
      parts.set(`net-${"ab"[i]}`, encodeModel(side.model));
    }
  });
  if (task) parts.set("task", task);
  parts.set("view", [view.x, view.y, view.half].map((v) => +v.toPrecision(6)).join(","));
  parts.set("show", Object.keys(SHOWN).filter((key) => show[key]).map((key) => SHOWN[key]).join(""));
  parts.set("on", "ab"[active]);
  const text = parts.toString();
  return text.length > LONGEST ? null : text;
}

/** The state of a text, on top of a default; what cannot be read stays as it was. */
export function decode(text, data, standard) {
  const parts = new URLSearchParams(text.replace(/^#/, ""));
  const sides = standard.sides.map((side, i) => sideOf(text, "ab"[i], data) ?? side);
  const [x, y, half] = (parts.get("view") ?? "").split(",").map(Number);
  const legal = [x, y, half].every(Number.isFinite) && half > 0;
  const letters = parts.get("show");
  const show = letters === null ? standard.show : Object.fromEntries(
    Object.entries(SHOWN).map(([key, letter]) => [key, letters.includes(letter)]));
  return {
    ...standard, sides, show,
    view: legal ? { ...standard.view, x, y, half } : standard.view,
    active: parts.get("on") === "b" ? 1 : 0,
  };
}

function sideOf(text, letter, data) {
  const net = linked(text, letter, data);
  if (!net) return null;
  const parts = new URLSearchParams(text.replace(/^#/, ""));
  const side = fresh(data, net), written = parts.get(`net-${letter}`);
  if (!written) return side;
  try {
    const model = decodeModel(written, net.width);
    return { ...side, model, pool: model.mask, made: parts.get(`made-${letter}`) ?? "changed" };
  } catch {
    return side; // a damaged link still shows the network it began with
  }
}
