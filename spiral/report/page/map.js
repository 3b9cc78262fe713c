// The big map of a side: a painted field, the data, a cross-hair; pan and zoom by hand.

import { EXTENT, WHOLE } from "./fields.js";
import { theme } from "./paint.js";

const DEEPEST = 0.02; // half a side at the strongest zoom

/** A view that stays within the square and the zoom that make sense. */
export function bounded({ x, y, half }) {
  const side = Math.min(EXTENT, Math.max(DEEPEST, half)), room = EXTENT - side;
  const within = (v) => Math.min(room, Math.max(-room, v));
  return { x: within(x), y: within(y), half: side };
}

export function zoomed(view, factor, [x, y]) {
  const half = Math.min(EXTENT, Math.max(DEEPEST, view.half * factor)), f = half / view.half;
  return bounded({ x: x + (view.x - x) * f, y: y + (view.y - y) * f, half });
}

export function makeMap(root, on) {
  const canvas = root.querySelector("canvas"), cross = root.querySelector(".cross");
  let view = WHOLE, painted = null, layer = {};

  function draw(points, wrong) {
    const ratio = devicePixelRatio || 1, side = root.clientWidth;
    const wanted = Math.max(1, Math.round(side * ratio));
    if (canvas.width !== wanted) Object.assign(canvas, { width: wanted, height: wanted });
    const pen = canvas.getContext("2d"), scale = canvas.width / (2 * view.half);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (painted) {
      const size = 2 * painted.view.half * scale;
      const left = (painted.view.x - painted.view.half - view.x + view.half) * scale;
      const top = (view.y + view.half - painted.view.y - painted.view.half) * scale;
      pen.drawImage(painted.image, left, top, size, size);
    }
    if (points) scatter(pen, points, wrong, scale, ratio);
  }

  /** All points as one layer, drawn anew when view, size or colours change. */
  function layerOf(points, scale, dot) {
    const key = [view.x, view.y, scale, canvas.width, theme().points].join();
    if (layer.key === key) return layer.canvas;
    layer = { key, canvas: new OffscreenCanvas(canvas.width, canvas.width) };
    const pen = layer.canvas.getContext("2d");
    for (const kind of [0, 1]) {
      pen.fillStyle = `rgb(${theme().points[kind]})`;
      dots(pen, points, (i) => points.label[i] === kind, scale, dot);
    }
    return layer.canvas;
  }

  function scatter(pen, points, wrong, scale, ratio) {
    const dot = 1.5 * ratio * Math.max(1, root.clientWidth / 420);
    pen.drawImage(layerOf(points, scale, dot), 0, 0);
    pen.fillStyle = `rgb(${theme().ink})`;
    if (wrong) dots(pen, points, (i) => wrong[i], scale, 1.9 * dot);
  }

  function dots(pen, { x, y }, chosen, scale, dot) {
    for (let i = 0; i < x.length; i++) {
      if (!chosen(i)) continue;
      const left = (x[i] - view.x + view.half) * scale, top = (view.y + view.half - y[i]) * scale;
      pen.fillRect(left - dot / 2, top - dot / 2, dot, dot);
    }
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
      if (image) painted = image;
      root.style.setProperty("touch-action", view.half < EXTENT ? "none" : "pan-y");
      draw(points, wrong);
    },
    /** Show where the pointer is, on either side. */
    point(at) {
      cross.hidden = !at;
      if (!at) return;
      cross.style.setProperty("--x", `${50 * ((at[0] - view.x) / view.half + 1)}%`);
      cross.style.setProperty("--y", `${50 * (1 - (at[1] - view.y) / view.half)}%`);
    },
    canvas,
  };
}

/** Wheel and pinch zoom, dragging pans, keys do all of it. */
function handle(root, pointOf, viewNow, on) {
  const down = new Map();
  root.addEventListener("wheel", (event) => {
    if (event.deltaY > 0 && viewNow().half >= EXTENT) return; // nothing to zoom: scroll
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
  root.addEventListener("dblclick", () => on.view(WHOLE));
  root.addEventListener("keydown", (event) => {
    const view = viewNow(), step = view.half / 4, centre = [view.x, view.y];
    const next = event.ctrlKey || event.metaKey || event.altKey ? null : {
      ArrowLeft: { ...view, x: view.x - step }, ArrowRight: { ...view, x: view.x + step },
      ArrowUp: { ...view, y: view.y + step }, ArrowDown: { ...view, y: view.y - step },
      "+": zoomed(view, 1 / 1.4, centre), "=": zoomed(view, 1 / 1.4, centre),
      "-": zoomed(view, 1.4, centre), 0: WHOLE,
    }[event.key];
    if (!next || event.target !== root) return;
    event.preventDefault();
    on.view(bounded(next));
    on.point([viewNow().x, viewNow().y]);
  });
  root.addEventListener("blur", () => on.point(null));
}
