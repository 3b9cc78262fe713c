// One side: a network, its numbers, its graph, its map. Draws coarse at once, fine soon.

import { makeDesk } from "./desk.js";
import { partsOf, set, tell } from "./dom.js";
import { fieldOf, thumbnails } from "./fields.js";
import { makeGraph } from "./graph.js";
import { unitName } from "./layout.js";
import { makeMap } from "./map.js";
import { anatomy } from "./masks.js";
import { compile, forward, logits } from "./mlp.js";
import { canvasOf, drawLines, drawZero, paintInput, paintLogits, paintUnit } from "./paint.js";
import { showStats, titleOf } from "./stats.js";

const SHARP = 512; // the full resolution of a map
const AT_ONCE = 12e6, LATER = 700e6; // products that a coarse and a sharp map may cost
const THUMB = 56;

const OUTPUT = [4, 0];

/** The largest of some sizes that a network can be drawn at for that many products. */
export function affordable(sizes, edges, products) {
  return sizes.find((size) => size * size * (edges + 40) <= products) ?? sizes.at(-1);
}

export function makeSide(root, index, app, hands) {
  const parts = partsOf(root);
  const side = { index, root, parts, selected: null, measured: null, unit: OUTPUT };
  const desk = makeDesk(app.data.points, answered);
  const map = makeMap(parts.map, { view: (view) => app.store.set({ view }), point: app.point });
  side.hands = hands(side);
  const graph = makeGraph(parts.graph, {
    ...side.hands, enlarge: (unit) => enlarge(unit ?? OUTPUT), look: (place) => app.look(side, place),
  });
  let sharpen = 0, wrong = null, coarse = false;

  function answered(answer) {
    if (answer.kind === "measured") {
      side.measured = answer;
      stats();
      graph.refresh();
      root.dataset.correct = answer.correct;
    } else {
      paintMap(answer.z, answer);
      root.dataset.sharp = answer.size;
    }
  }

  function stats() {
    showStats(side, app.data);
    if (app.store.get().active !== index) return;
    const said = `accuracy ${parts.accuracy.textContent}, ${side.anatomy.nnz} weights`;
    tell(`${titleOf(side)}: ${said}`);
  }

  function paintMap(z, { size, view, unit, planes }) {
    const paint = unit[0] === 4 ? paintLogits : unit[0] ? paintUnit : paintInput;
    const image = paint(z, size);
    drawZero(image, z, size, size / 400);
    if (planes) drawLines(image, planes);
    draw({ image: canvasOf(image), view });
  }

  function draw(painted) {
    const { view, show } = app.store.get();
    map.draw(view, painted, show.data ? app.sample : null, wrong);
  }

  /** The map at the resolution that can be had at once, then the sharp one. */
  function redraw(quick) {
    delete root.dataset.sharp;
    clearTimeout(sharpen);
    desk.drop("field");
    paintAtOnce(quick ? [128, 64, 32, 16] : [64, 32, 16]);
    sharpen = setTimeout(() => {
      if (!quick) paintAtOnce([128, 64, 32]);
      if (coarse) paintUnits(false);
      const { view, show } = app.store.get();
      const size = affordable([SHARP, 256, 128, 64], side.anatomy.nnz, LATER);
      const { model } = side.state, { unit } = side;
      desk.ask({ kind: "field", model, view, unit, lines: show.lines, size });
    }, quick ? 120 : 0);
  }

  function paintAtOnce(sizes) {
    const { view } = app.store.get(), { unit } = side;
    const size = affordable(sizes, side.anatomy.nnz, AT_ONCE);
    paintMap(fieldOf(side.net, view, size, unit), { size, view, unit });
  }

  function enlarge(unit) {
    if (unit[0] === side.unit[0] && unit[1] === side.unit[1]) return;
    side.unit = unit;
    parts.caption.textContent = unit[0] === 4 ? "output" : unitName(...unit);
    redraw(true);
  }

  function remodel(state, before, settled) {
    Object.assign(side, { state, model: state.model });
    side.anatomy = anatomy(state.model.mask, state.model.width);
    side.net = compile(state.model);
    if (before?.id !== state.id) {
      Object.assign(side, { selected: null, unit: OUTPUT, measured: null });
    }
    wrong = misses();
    delete root.dataset.correct;
    desk.ask({ kind: "measure", model: state.model });
    graph.update(side, app.store.get().show.pruned);
    const omitted = graph.omitted().toLocaleString("en");
    if (graph.omitted()) parts.hint.textContent = `${omitted} weights are too small to be drawn.`;
    paintUnits(!settled);
    showStats(side, app.data);
    redraw(!settled);
  }

  /** Which points of the sample are misclassified; null where that would take long. */
  function misses() {
    const { x, y, label } = app.sample;
    if (side.anatomy.nnz * x.length > LATER / 10) return null;
    return Uint8Array.from(logits(side.net, x, y), (z, i) => !(label[i] ? z > 0 : z < 0));
  }

  /** The small maps of the units: coarser while a hand moves. */
  function paintUnits(quick) {
    const sizes = quick ? [THUMB / 2, 16, 8] : [THUMB, THUMB / 2, 16, 8];
    const size = affordable(sizes, side.anatomy.nnz, AT_ONCE / 4);
    graph.paint(thumbnails(side.net, size), size);
    coarse = quick;
  }

  return Object.assign(side, {
    graph, map, redraw, enlarge,
    /** Follow the state; `before` is what was drawn last. */
    follow(now, before) {
      const [state, old] = [now.sides[index], before?.sides[index]];
      set(root, "data-active", now.active === index);
      if (state !== old) remodel(state, old, state.id !== old?.id);
      else if (now.show.pruned !== before.show.pruned) regraph();
      else if (now.show.lines !== before.show.lines) redraw(true);
      if (before && now.view !== before.view) redraw(true);
      if (before && now.show.data !== before.show.data) draw();
    },
    /** Colours or sizes have changed. */
    repaint() {
      regraph();
      redraw(true);
    },
    select(what) {
      side.selected = what;
      graph.update(side, app.store.get().show.pruned);
    },
    /** What the network says at a point of the plane; dims what is silent there. */
    point(at) {
      map.point(at);
      if (!at) {
        parts.readout.textContent = "";
        return graph.signal(null);
      }
      [side.net.h[0][0][0], side.net.h[0][1][0]] = at;
      const z = forward(side.net, 1)[0], share = 1 / (1 + Math.exp(-Math.abs(z)));
      const sure = `${z > 0 ? "orange" : "blue"} ${(100 * share).toFixed(share > 0.9995 ? 0 : 1)} %`;
      parts.readout.textContent = `${at.map((v) => v.toFixed(2)).join(", ")}  ${sure}`;
      graph.signal((layer, unit) => layer === 0 || layer === 4 || side.net.z[layer - 1][unit]?.[0] > 0);
    },
  });

  function regraph() {
    graph.update(side, app.store.get().show.pruned);
    paintUnits(false);
  }
}
