// Taking things away: a side as SVG or PNG, networks as JSON that Python reads back.

import { pack } from "./data.js";
import { html } from "./dom.js";
import { withBiases } from "./masks.js";
import { layersOf } from "./network.js";
import { picture } from "./picture.js";
import { nameOf } from "./stats.js";

const SCALE = 2; // pixels of a PNG for each unit of the SVG

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  html("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const fileName = (side, type) => `${side.state.id}${side.state.made ? "-changed" : ""}.${type}`;

/** A network as `spiral.search.network_files` reads it: its mask in words, its kept values. */
export function networkOf(side) {
  const { width, mask, params } = side.model, kept = withBiases(mask, width);
  const matrices = layersOf(width).map(({ outputs, inputs, weights }) =>
    Array.from({ length: outputs }, (_, to) =>
      mask.slice(weights + to * inputs, weights + (to + 1) * inputs).join("")).join(","));
  const effective = params.map((value, i) => (mask[i] ? value : 0));
  // Python counts on all points of the task: no number of a sample is compared with that
  const { points, total } = side.app.data, whole = points.count === total;
  const values = pack({ mask: kept, params: effective });
  return {
    name: nameOf(side.row), made: side.state.made, config_id: side.row.config_id, width,
    matrices: matrices.join("/"), params: Array.from(values),
    correct: whole ? side.measured?.correct ?? null : null,
  };
}

export function exportJson(sides) {
  const document_ = { format: "spiral-sweep networks", schema: 1, networks: sides.map(networkOf) };
  const blob = new Blob([JSON.stringify(document_, null, 1)], { type: "application/json" });
  save(blob, fileName(sides[0], "json"));
}

export function exportSvg(side) {
  save(new Blob([picture(side)], { type: "image/svg+xml" }), fileName(side, "svg"));
}

export async function exportPng(side) {
  const image = new Image(), source = picture(side);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  const canvas = html("canvas", { width: image.width * SCALE, height: image.height * SCALE });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => save(blob, fileName(side, "png")), "image/png");
}
