// Train in the page: the recipe of spiral, in a separate worker, ended to stop it.

import { startWorker } from "./worker_queue.js";
import { announce } from "./dom.js";
import { initialParams } from "./random.js";

const FROM = {
  present: "present weights",
  own: "its initialisation",
  drawn: "new initialisation",
};

export function makeTraining(side, app) {
  const { parts, index } = side, { store } = app;
  let worker = null, finish = null, taking = false;

  const row = () => app.data.byId.get(side.state.id);

  /** The parameters that training begins with. */
  function startOf(from) {
    const { width, params } = side.model;
    if (from === "own") return app.data.initialOf(row()).slice();
    return from === "drawn" ? initialParams(Number(parts.seed.value), width) : params.slice();
  }

  /** Batch, momentum and decay as in the row; the rest as the controls say. */
  function planOf() {
    const { batch, momentum, weight_decay: decay, order_seed: ordered } = row();
    return {
      batch, momentum, decay, orderSeed: parts.from.value === "drawn" ? Number(parts.seed.value) : ordered,
      epochs: Number(parts.epochs.value), total: app.data.total, lr: Number(parts.lr.value), schedule: parts.schedule.value,
    };
  }

  function start() {
    const from = parts.from.value, params = startOf(from), plan = planOf();
    const { width, mask } = side.model;
    worker = startWorker(app.data.recipe);
    finish = `trained ${plan.epochs} ${plan.epochs === 1 ? "epoch" : "epochs"} from ${FROM[from]}`;
    take(params);
    worker.onmessage = ({ data: news }) => {
      take(news.params);
      parts.progress.value = news.done;
      if (news.done === 1) stop();
    };
    worker.postMessage({ kind: "train", model: { width, mask, params }, plan });
    show(true);
  }

  function take(params) {
    taking = true;
    store.change(index, { model: { ...side.model, params }, made: finish });
    taking = false;
  }

  function stop() {
    worker.terminate();
    worker = null;
    store.commit();
    show(false);
    announce(finish);
  }

  function show(running) {
    parts.train.textContent = running ? "Stop" : "Train";
    parts.progress.hidden = !running;
    parts.progress.value = 0;
  }

  function offer() {
    const own = parts.from.querySelector("[value=own]"), known = app.data.initialOf(row()) !== null;
    own.disabled = !known;
    own.textContent = known ? FROM.own : `${FROM.own} (not recorded)`;
    if (!known && parts.from.value === "own") parts.from.value = "present";
    parts.seeded.hidden = parts.from.value !== "drawn";
  }

  parts.train.addEventListener("click", () => (worker ? stop() : start()));
  parts.from.addEventListener("change", offer);
  parts.epochs.addEventListener("input", () => { parts.long.textContent = parts.epochs.value; });

  return {
    follow(now, before) {
      const state = now.sides[index];
      if (worker && !taking && state !== before.sides[index]) {
        worker.terminate(); // somebody changed the network meanwhile: that counts
        worker = null;
        show(false);
      }
      if (state.id === before?.sides[index]?.id) return;
      const { lr, schedule } = row();
      parts.lr.value = lr;
      parts.schedule.value = schedule;
      offer();
    },
  };
}
