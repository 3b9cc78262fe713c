// One panel: a network, its numbers, its graph, its map. Draws coarse at once, fine soon.
//
// A panel (`side` A or B of the page) is one object; the functions below draw parts of it.

import { partsOf, set, announce } from "./dom.js";
import { fieldOf, thumbnails, wholeOf } from "./fields.js";
import { makeGraph } from "./graph.js";
import { unitName } from "./layout.js";
import { makeMap } from "./map.js";
import { anatomy } from "./masks.js";
import { compile, forward, logits } from "./network.js";
import { canvasOf, drawLines, drawZero, paintInput, paintLogits, paintUnit } from "./paint.js";
import { showStats, titleOf } from "./stats.js";
import { makeWorkerQueue } from "./worker_queue.js";

const SHARP = 512; // the full resolution of a map
const AT_ONCE = 12e6, LATER = 700e6; // products that a coarse and a sharp map may cost
const THUMB = 56;

const OUTPUT = [4, 0];

/** The largest of some sizes that a network can be drawn at for that many products. */
export function affordable(sizes, edges, products) {
  return sizes.find((size) => size * size * (edges + 40) <= products) ?? sizes.at(-1);
}

export function makePanel(root, index, app, actions) {
  const parts = partsOf(root);
  const side = { index, root, app, parts, selected: null, measured: null, unit: OUTPUT };
  Object.assign(side, { sharpening: 0, wrong: null, coarse: false, actions: actions(side) });
  side.queue = makeWorkerQueue(app.data.recipe, (answer) => receive(side, answer));
  side.map = makeMap(parts.map, { view: (view) => app.store.set({ view }), point: app.point });
  side.graph = makeGraph(parts.graph, {
    ...side.actions, enlarge: (unit) => enlarge(side, unit ?? OUTPUT), look: (place) => app.look(side, place),
  });
  return Object.assign(side, {
    redraw: (quick) => redraw(side, quick),
    enlarge: (unit) => enlarge(side, unit),
    follow: (now, before) => follow(side, now, before),
    point: (at) => showPoint(side, at),
    /** Colours or sizes have changed. */
    repaint() {
      regraph(side);
      redraw(side, true);
    },
    select(what) {
      side.selected = what;
      updateGraph(side);
    },
  });
}

/** Follow the state; `before` is what was drawn last. */
function follow(side, now, before) {
  const [state, old] = [now.sides[side.index], before?.sides[side.index]];
  set(side.root, "data-active", now.active === side.index);
  if (state !== old) remodel(side, state, old, state.id !== old?.id);
  else if (now.show.pruned !== before.show.pruned) regraph(side);
  else if (now.show.lines !== before.show.lines) redraw(side, true);
  if (before && now.view !== before.view) redraw(side, true);
  if (before && now.show.data !== before.show.data) drawMap(side);
}

/** Show another network, or the same one changed; `settled` unless it is being dragged. */
function remodel(side, state, before, settled) {
  const { app, parts, graph } = side;
  Object.assign(side, { state, model: state.model });
  side.anatomy = anatomy(state.model.mask, state.model.width);
  side.net = compile(state.model);
  if (before?.id !== state.id) {
    Object.assign(side, { selected: null, unit: OUTPUT, measured: null });
  }
  side.wrong = misclassified(side);
  delete side.root.dataset.correct;
  side.queue.ask({ kind: "measure", model: state.model });
  updateGraph(side);
  const omitted = graph.omitted().toLocaleString("en");
  if (graph.omitted()) parts.hint.textContent = `${omitted} weights are too small to be drawn.`;
  paintUnits(side, !settled);
  showStats(side, app.data);
  redraw(side, !settled);
}

/** Which points of the sample are misclassified; null where that would take long. */
function misclassified(side) {
  const { x, y, label } = side.app.sample;
  if (side.anatomy.nnz * x.length > LATER / 10) return null;
  return Uint8Array.from(logits(side.net, x, y), (z, i) => !(label[i] ? z > 0 : z < 0));
}

/** Take an answer of the worker: the accuracy on all points, or a sharp map. */
function receive(side, answer) {
  const { root } = side;
  if (answer.kind === "measured") {
    side.measured = answer;
    showNumbers(side);
    side.graph.refresh();
    root.dataset.correct = answer.correct;
  } else {
    paintMap(side, answer.z, answer);
    root.dataset.sharp = answer.size;
  }
}

/** Show the numbers, and read them out for the active panel. */
function showNumbers(side) {
  const { app, parts } = side;
  showStats(side, app.data);
  if (app.store.get().active !== side.index) return;
  const numbers = `accuracy ${parts.accuracy.textContent}, ${side.anatomy.nnz} weights`;
  announce(`${titleOf(side)}: ${numbers}`);
}

/** The map at the resolution that can be had at once, then the sharp one. */
function redraw(side, quick) {
  delete side.root.dataset.sharp;
  clearTimeout(side.sharpening);
  side.queue.drop("field");
  paintAtOnce(side, quick ? [128, 64, 32, 16] : [64, 32, 16]);
  side.sharpening = setTimeout(() => sharpen(side, quick), quick ? 120 : 0);
}

function sharpen(side, quick) {
  if (!quick) paintAtOnce(side, [128, 64, 32]);
  if (side.coarse) paintUnits(side, false);
  const { view, show } = side.app.store.get();
  const size = affordable([SHARP, 256, 128, 64], side.anatomy.nnz, LATER);
  const { model } = side.state, { unit } = side;
  side.queue.ask({ kind: "field", model, view, unit, lines: show.lines, size });
}

function paintAtOnce(side, sizes) {
  const { view } = side.app.store.get(), { unit } = side;
  const size = affordable(sizes, side.anatomy.nnz, AT_ONCE);
  paintMap(side, fieldOf(side.net, view, size, unit), { size, view, unit });
}

function paintMap(side, z, { size, view, unit, planes }) {
  const paint = unit[0] === 4 ? paintLogits : unit[0] ? paintUnit : paintInput;
  const image = paint(z, size);
  drawZero(image, z, size, size / 400);
  if (planes) drawLines(image, planes);
  drawMap(side, { image: canvasOf(image), view });
}

function drawMap(side, painted) {
  const { view, show } = side.app.store.get();
  side.map.draw(view, painted, show.data ? side.app.sample : null, side.wrong);
}

/** Show the map of one unit. */
function enlarge(side, unit) {
  if (unit[0] === side.unit[0] && unit[1] === side.unit[1]) return;
  side.unit = unit;
  side.parts.caption.textContent = unit[0] === 4 ? "output" : unitName(...unit);
  redraw(side, true);
}

/** The small maps of the units: coarser while a weight is being dragged. */
function paintUnits(side, quick) {
  const sizes = quick ? [THUMB / 2, 16, 8] : [THUMB, THUMB / 2, 16, 8];
  const size = affordable(sizes, side.anatomy.nnz, AT_ONCE / 4);
  side.graph.paint(thumbnails(side.net, size, wholeOf(side.app.data.half)), size);
  side.coarse = quick;
}

function updateGraph(side) {
  side.graph.update(side, side.app.store.get().show.pruned);
}

function regraph(side) {
  updateGraph(side);
  paintUnits(side, false);
}

/** The output of the network at a point of the plane; dims the units that are silent there. */
function showPoint(side, at) {
  const { parts, net, graph, map } = side;
  map.point(at);
  if (!at) {
    parts.readout.textContent = "";
    return graph.signal(null);
  }
  [net.h[0][0][0], net.h[0][1][0]] = at;
  const z = forward(net, 1)[0], share = 1 / (1 + Math.exp(-Math.abs(z)));
  const sure = `${z > 0 ? "orange" : "blue"} ${(100 * share).toFixed(share > 0.9995 ? 0 : 1)} %`;
  parts.readout.textContent = `${at.map((v) => v.toFixed(2)).join(", ")}  ${sure}`;
  graph.signal((layer, unit) => layer === 0 || layer === 4 || net.z[layer - 1][unit]?.[0] > 0);
}
