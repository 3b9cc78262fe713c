// The numbers of a side, and its name.

import { set } from "./dom.js";

const percent = (share) => `${(100 * share).toFixed(2)} %`;

export function nameOf(net) {
  const best = net.kind === "protocol" ? "Best trained" : "Best known";
  return `${net.method === "frontier" ? best : net.method}, ${net.nnz} weights`;
}

export function titleOf(side) {
  return `Side ${"AB"[side.index]}, ${nameOf(side.row)}`;
}

export function showStats(side, data) {
  const { parts, state, anatomy, measured } = side;
  const row = data.byId.get(state.id);
  side.row = row;
  parts.name.textContent = nameOf(row);
  parts.about.textContent = row.about;
  parts.changed.textContent = state.made ?? (row.status === "ok" ? "" : row.status);
  const { count } = data.points, sampled = count < data.total;
  const asStored = state.made ? null : row.accuracy;
  // A sample tells less than the row, which knows all points
  const known = measured && !(sampled && asStored !== null);
  const accuracy = known ? measured.correct / count : asStored;
  parts.accuracy.textContent = accuracy === null ? "…" : percent(accuracy);
  const few = sampled ? ` of ${count.toLocaleString("en")}` : "";
  parts.wrong.textContent = measured ? (count - measured.correct).toLocaleString("en") + few : "…";
  for (const name of ["nnz", "effective", "params"]) {
    parts[name].textContent = anatomy[name].toLocaleString("en");
  }
  set(parts.effective, "class", anatomy.effective < anatomy.nnz ? "odd" : null);
  const { width } = state.model;
  const best = data.bestOfSize(anatomy.nnz, width);
  const trained = data.bestOfSize(anatomy.nnz, width, ["protocol"]);
  parts.match.disabled = !best;
  parts.best.textContent = named(best);
  parts.trained.textContent = named(trained);
  parts.gap.textContent = best && accuracy !== null ? gap(accuracy - best.accuracy) : "";
}

function named(net) {
  return net ? `${percent(net.accuracy)}, ${net.nnz} weights` : "–";
}

function gap(difference) {
  if (Math.abs(difference) < 5e-6) return "the best known";
  const points = Math.abs(100 * difference).toFixed(2);
  return difference > 0 ? `${points} above` : `${points} below`;
}
