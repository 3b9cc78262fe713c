// The state as text behind the # of the address: a link that shows the same again.

import { fromBase64, fromBits, pack, toBase64, toBits, unpack } from "./data.js";
import { paramCount } from "./network.js";
import { fresh } from "./state.js";
import { nameOf } from "./stats.js";

const LONGEST = 200_000; // characters; browsers take more, mail programs do not
const SHOWN = { pruned: "p", lines: "z", data: "d" };
const CUT = 60; // characters of a value that a message repeats

const keysOf = (text) => new URLSearchParams(text.replace(/^#/, ""));

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
  const count = mask.reduce((sum, bit) => sum + bit, 0);
  if (bytes.length !== first + 4 * count) throw new Error("not this network");
  const kept = new Float32Array(bytes.slice(first).buffer);
  return { width, mask, params: unpack(mask, kept) };
}

/** The name of the task that a text is of, if it names one. */
export function taskOf(text) {
  return keysOf(text).get("task");
}

/** The network that a link names for a side: by its id; or by its method, perhaps with @
 *  and a number of weights, the most accurate one. */
export function linked(text, letter, data) {
  const name = keysOf(text).get(letter) ?? "";
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
  const parts = keysOf(text);
  const sides = standard.sides.map((side, i) => sideOf(text, "ab"[i], data) ?? side);
  const letters = parts.get("show");
  const show = letters === null ? standard.show : Object.fromEntries(
    Object.entries(SHOWN).map(([key, letter]) => [key, letters.includes(letter)]));
  return {
    ...standard, sides, show,
    view: { ...standard.view, ...viewOf(parts) },
    active: parts.get("on") === "b" ? 1 : 0,
  };
}

/** What of a text cannot be shown, in sentences; `sides` are shown in its place. */
export function unread(text, data, { sides }) {
  const keys = keysOf(text), [a, b] = sides.map((side) => nameOf(data.byId.get(side.id)));
  const checks = {
    task: [(name) => name === data.name, data.name],
    a: [() => linked(text, "a", data), a], b: [() => linked(text, "b", data), b],
    "net-a": [() => sides[0].made], "net-b": [() => sides[1].made],
    "made-a": [() => true], "made-b": [() => true], view: [() => viewOf(keys)],
    show: [(letters) => /^[pzd]*$/.test(letters)], on: [(letter) => /^[ab]$/.test(letter)],
  };
  const bad = [...keys].filter(([key, value]) => !checks[key]?.[0](value));
  return bad.map(([key, value]) => {
    const name = value.length > CUT ? `${value.slice(0, CUT)}…` : value, instead = checks[key]?.[1];
    return instead ? `No ${key === "task" ? key : "network"} named ${name}; showing ${instead}.`
      : `Cannot read ${key}=${name} of the link.`;
  }).join(" ");
}

/** What part of the plane a link shows; null if it names none. */
function viewOf(parts) {
  const [x, y, half] = (parts.get("view") ?? "").split(",").map(Number);
  return [x, y, half].every(Number.isFinite) && half > 0 ? { x, y, half } : null;
}

function sideOf(text, letter, data) {
  const net = linked(text, letter, data);
  if (!net) return null;
  const parts = keysOf(text);
  const side = fresh(data, net), written = parts.get(`net-${letter}`);
  if (!written) return side;
  try {
    const model = decodeModel(written, net.width);
    return { ...side, model, pool: model.mask, made: parts.get(`made-${letter}`) ?? "changed" };
  } catch {
    return side; // a damaged link still shows the network it began with
  }
}
