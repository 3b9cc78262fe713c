// The big map of a side: a painted field, the data, a cross-hair; pan and zoom by hand.

import { html } from "./dom.js";
import { wholeOf } from "./fields.js";
import { makeScene } from "./scene.js";

const DEEPEST = 0.02; // half a side at the strongest zoom
const DOT = 1.5, USUAL = 420; // size of a point on a map of that size

/** A view that stays within the square and the zoom that make sense. */
export function bounded({ x, y, half, most }) {
  const side = Math.min(most, Math.max(DEEPEST, half)), room = most - side;
  const within = (v) => Math.min(room, Math.max(-room, v));
  return { x: within(x), y: within(y), half: side, most };
}

export function zoomed(view, factor, [x, y]) {
  const { most } = view;
  const half = Math.min(most, Math.max(DEEPEST, view.half * factor)), f = half / view.half;
  return bounded({ x: x + (view.x - x) * f, y: y + (view.y - y) * f, half, most });
}

export function makeMap(root, on) {
  const canvas = root.querySelector("canvas"), cross = root.querySelector(".cross");
  const paint = makeScene();
  let view = wholeOf(1), scene = { view };

  function draw() {
    const ratio = devicePixelRatio || 1, side = Math.max(1, Math.round(root.clientWidth * ratio));
    if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
    paint(canvas, scene, DOT * Math.max(ratio, side / USUAL));
  }

  const pointOf = (event) => {
    const box = root.getBoundingClientRect();
    const across = (event.clientX - box.left) / box.width, down = (event.clientY - box.top) / box.height;
    return [view.x + (2 * across - 1) * view.half, view.y + (1 - 2 * down) * view.half];
  };
  handle(root, pointOf, () => view, on);

  return {
    draw(next, image, points, wrong) {
      view = next;
      scene = { view, painted: image ?? scene.painted, points, wrong };
      root.style.setProperty("touch-action", view.half < view.most ? "none" : "pan-y");
      draw();
    },
    /** Show where the pointer is, on either side. */
    point(at) {
      cross.hidden = !at;
      if (!at) return;
      cross.style.setProperty("--x", `${50 * ((at[0] - view.x) / view.half + 1)}%`);
      cross.style.setProperty("--y", `${50 * (1 - (at[1] - view.y) / view.half)}%`);
    },
    /** The same on a canvas of another size. */
    picture(side) {
      const own = html("canvas", { width: side, height: side });
      makeScene()(own, scene, (DOT * side) / USUAL);
      return own;
    },
  };
}

/** Wheel and pinch zoom, dragging pans, keys do all of it. */
function handle(root, pointOf, viewNow, on) {
  const down = new Map();
  root.addEventListener("wheel", (event) => {
    if (event.deltaY > 0 && viewNow().half >= viewNow().most) return; // nothing to zoom: scroll
    event.preventDefault();
    on.view(zoomed(viewNow(), Math.exp(event.deltaY / 400), pointOf(event)));
  }, { passive: false });
  root.addEventListener("pointerdown", (event) => {
    if (event.target.closest("button")) return;
    down.set(event.pointerId, event);
    root.setPointerCapture(event.pointerId);
  });
  root.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId), view = viewNow();
    if (before) {
      if (down.size === 2) pinch(event, before, view);
      else pan(event, before, view);
      down.set(event.pointerId, event);
    }
    on.point(pointOf(event));
  });
  function pan(event, before, view) {
    const unit = (2 * view.half) / root.clientWidth;
    const x = view.x - (event.clientX - before.clientX) * unit;
    const y = view.y + (event.clientY - before.clientY) * unit;
    on.view(bounded({ ...view, x, y }));
  }
  function pinch(event, before, view) {
    const [other] = [...down.values()].filter(({ pointerId }) => pointerId !== event.pointerId);
    const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    on.view(zoomed(view, apart(before) / Math.max(1, apart(event)), pointOf(other)));
  }
  for (const name of ["pointerup", "pointercancel"]) {
    root.addEventListener(name, (event) => down.delete(event.pointerId));
  }
  root.addEventListener("pointerleave", () => on.point(null));
  root.addEventListener("dblclick", () => on.view(wholeOf(viewNow().most)));
  root.addEventListener("keydown", (event) => {
    const view = viewNow(), step = view.half / 4, centre = [view.x, view.y];
    const next = event.ctrlKey || event.metaKey || event.altKey ? null : {
      ArrowLeft: { ...view, x: view.x - step }, ArrowRight: { ...view, x: view.x + step },
      ArrowUp: { ...view, y: view.y + step }, ArrowDown: { ...view, y: view.y - step },
      "+": zoomed(view, 1 / 1.4, centre), "=": zoomed(view, 1 / 1.4, centre),
      "-": zoomed(view, 1.4, centre), 0: wholeOf(view.most),
    }[event.key];
    if (!next || event.target !== root) return;
    event.preventDefault();
    on.view(bounded(next));
    on.point([viewNow().x, viewNow().y]);
  });
  root.addEventListener("blur", () => on.point(null));
}
