// What a map shows, drawn onto a canvas of any size: a painted field, then the data.

import { theme } from "./paint.js";

/** A painter of {view, painted, points, wrong}; dots are `dot` pixels wide. */
export function makeScene() {
  let layer = {};

  function draw(canvas, { view, painted, points, wrong }, dot) {
    const pen = canvas.getContext("2d"), scale = canvas.width / (2 * view.half);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (painted) {
      const size = 2 * painted.view.half * scale;
      const left = (painted.view.x - painted.view.half - view.x + view.half) * scale;
      const top = (view.y + view.half - painted.view.y - painted.view.half) * scale;
      pen.drawImage(painted.image, left, top, size, size);
    }
    if (!points) return;
    pen.drawImage(layerOf(canvas, view, points, dot), 0, 0);
    pen.fillStyle = `rgb(${theme().ink})`;
    if (wrong) dots(pen, view, points, (i) => wrong[i], 1.9 * dot);
  }

  /** All points as one layer, drawn anew when points, view, size or colours change. */
  function layerOf({ width }, view, points, dot) {
    const key = [view.x, view.y, view.half, width, theme().points].join();
    if (layer.key === key && layer.points === points) return layer.canvas;
    layer = { key, points, canvas: new OffscreenCanvas(width, width) };
    const pen = layer.canvas.getContext("2d");
    for (const kind of [0, 1]) {
      pen.fillStyle = `rgb(${theme().points[kind]})`;
      dots(pen, view, points, (i) => points.label[i] === kind, dot);
    }
    return layer.canvas;
  }
  return draw;
}

function dots(pen, view, { x, y }, chosen, dot) {
  const scale = pen.canvas.width / (2 * view.half);
  for (let i = 0; i < x.length; i++) {
    if (!chosen(i)) continue;
    const left = (x[i] - view.x + view.half) * scale, top = (view.y + view.half - y[i]) * scale;
    pen.fillRect(left - dot / 2, top - dot / 2, dot, dot);
  }
}
