// What is shown, in one immutable value, with undo. A side is {id, model, pool, made}:
// the network it began as, its mask and parameters now (those of pruned weights are
// remembered), what the keep slider chooses from, and in words how it was changed. All is
// of one task; another one begins anew, without undo.

export const START = {
  sides: [null, null],
  active: 0,
  show: { pruned: false, lines: false, data: true },
};

export function makeStore(start) {
  let state = start, settled = start.sides;
  const past = [], future = [], listeners = [];
  const replace = (next) => {
    const before = state;
    state = next;
    for (const listen of listeners) listen(state, before);
  };
  const travel = (from, to) => {
    if (!from.length) return false;
    to.push(settled);
    settled = from.pop();
    replace({ ...state, sides: settled });
    return true;
  };
  return {
    get: () => state,
    listen: (listener) => listeners.push(listener),
    set: (patch) => replace({ ...state, ...patch }),
    /** Change a side; what happens until commit() is undone together. */
    change(index, patch) {
      const sides = state.sides.slice();
      sides[index] = { ...sides[index], ...patch };
      replace({ ...state, sides });
    },
    commit() {
      if (state.sides === settled) return;
      past.push(settled);
      settled = state.sides;
      future.length = 0;
      replace({ ...state });
    },
    /** Begin anew with another state. */
    open(next) {
      past.length = future.length = 0;
      settled = next.sides;
      replace(next);
    },
    undo: () => travel(past, future),
    redo: () => travel(future, past),
    canUndo: () => past.length > 0,
    canRedo: () => future.length > 0,
  };
}

/** A side as its row has it; pruned weights remember their initial values. */
export function fresh(data, net) {
  const model = data.modelOf(net), initial = data.initialOf(net);
  if (initial) model.mask.forEach((kept, i) => { if (!kept) model.params[i] = initial[i]; });
  return { id: net.id, model, pool: model.mask, made: null };
}
