// Play: editing a network. Every change is one step of undo.

import { set, announce } from "./dom.js";
import { nudge } from "./interactions.js";
import { unitName } from "./layout.js";
import { keepTop, withBiases } from "./masks.js";
import { eachWeight, layersOf } from "./network.js";
import { fresh } from "./state.js";

const EDITED = "changed by hand";

/** What the graph of a side calls. */
export function makeActions(store) {
  return (side) => {
    const change = (model, made = EDITED) => store.change(side.index, { model, pool: model.mask, made });
    const withWeight = (place, value) => {
      const { params, mask, width } = side.model, next = params.slice();
      next[place] = value;
      if (mask[place]) return { width, mask, params: next };
      const kept = mask.slice();
      kept[place] = 1;
      return { width, mask: withBiases(kept, width), params: next };
    };
    const actions = {
      weight: (place) => side.model.params[place],
      toggle(place) {
        const { params, mask, width } = side.model, kept = mask.slice();
        kept[place] ^= 1;
        side.selected = place;
        change({ width, params, mask: withBiases(kept, width) });
        store.commit();
        announce(kept[place] ? "restored" : "pruned");
      },
      drag(place, value) {
        if (!Number.isFinite(value)) return;
        if (side.selected === null || typeof side.selected === "number") side.selected = place;
        change(withWeight(place, Math.fround(value)));
      },
      drop: () => store.commit(),
      nudge(place, part) {
        actions.drag(place, nudge(side.model.params[place], part));
        store.commit();
      },
      select: (layer, unit) => side.choose(`${layer},${unit}`),
    };
    return actions;
  };
}

/** The controls of a side beside its map. */
export function makePlay(side, app) {
  const { parts, index, actions } = side, { store } = app;
  let held = null; // the place of the parameter in the inspector

  side.choose = (what) => {
    side.select(what);
    inspect();
  };
  parts.keep.addEventListener("input", () => {
    const { model, pool } = side.state, keep = Number(parts.keep.value);
    const mask = keepTop(model.params, pool, keep, model.width);
    store.change(index, { model: { ...model, mask }, made: "pruned by magnitude" });
  });
  parts.keep.addEventListener("change", () => store.commit());
  parts.value.addEventListener("input", () => {
    if (held !== null && parts.value.value !== "") actions.drag(held, Number(parts.value.value));
  });
  parts.value.addEventListener("change", () => store.commit());
  parts.prune.addEventListener("click", () => actions.toggle(held));
  parts.reset.addEventListener("click", () => {
    store.change(index, fresh(app.data, app.data.byId.get(side.state.id)));
    store.commit();
  });
  parts.match.addEventListener("click", () => {
    const best = app.data.bestOfSize(side.anatomy.nnz, side.model.width);
    if (best) app.load(1 - index, best);
  });

  /** Show the selected weight or bias. */
  function inspect() {
    const { width, mask, params } = side.model, what = side.selected;
    held = what;
    let label = "select a weight or a unit";
    const edge = typeof what === "number";
    if (edge) {
      eachWeight(width, (place, layer, to, from) => {
        if (place === what) label = `${unitName(layer, from)} → ${unitName(layer + 1, to)}`;
      });
    } else if (what !== null) {
      const [layer, unit] = what.split(",").map(Number);
      held = layer ? layersOf(width)[layer - 1].biases + unit : null;
      label = layer ? `bias of ${unitName(layer, unit)}` : "an input has no bias";
    }
    parts.which.textContent = label;
    parts.value.disabled = held === null || (!edge && !mask[held]);
    parts.prune.disabled = !edge;
    parts.prune.textContent = edge && !mask[held] ? "Restore" : "Prune";
    if (held === null) parts.value.value = "";
    else if (document.activeElement !== parts.value) parts.value.value = +params[held].toFixed(4);
  }

  return {
    follow(now, before) {
      const state = now.sides[index];
      if (state === before?.sides[index]) return;
      if (state.id !== before?.sides[index]?.id) side.selected = null;
      let most = 0, nnz = 0;
      eachWeight(state.model.width, (place) => {
        most += state.pool[place];
        nnz += state.model.mask[place];
      });
      parts.keep.max = most;
      parts.keep.value = nnz;
      parts.kept.textContent = `${nnz} of ${most}`;
      parts.reset.disabled = !state.made;
      set(side.root, "data-made", state.made);
      inspect();
    },
  };
}
