// The worker: measures networks on all points, draws fields, trains. It answers each
// question in the order asked; a training is ended by ending its worker.

import { compile, measure } from "./network.js";
import { fieldOf, zeroLines } from "./fields.js";
import { buildPoints } from "./points.js";
import { epochOrder } from "./random.js";
import { SCHEDULES, trainer } from "./sgd.js";

let points;

const answer = {
  points(question) {
    points = buildPoints(question.recipe);
  },
  measure({ model, ticket }) {
    postMessage({ kind: "measured", ticket, ...measure(compile(model), points) });
  },
  field({ model, view, size, unit, lines, ticket }) {
    const net = compile(model);
    const z = fieldOf(net, view, size, unit);
    const planes = lines ? zeroLines(net, view, size) : null;
    const moved = [z.buffer, ...(planes ?? []).map((plane) => plane.buffer)];
    postMessage({ kind: "field", ticket, z, planes, size, view, unit }, moved);
  },
  train({ model, plan }) {
    const { epochs, batch, lr, schedule, orderSeed, total } = plan;
    const pupil = trainer(model, batch), each = Math.floor(total / batch);
    let told = performance.now();
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = epochOrder(orderSeed, epoch, total);
      // As many steps as on all points: those of a sample come several times
      if (points.count < total) order.forEach((place, i) => { order[i] = place % points.count; });
      const rates = { ...plan, lr: lr * SCHEDULES[schedule](epoch, epochs) };
      for (let k = 0; k < each; k++) {
        pupil.step(points, order.subarray(k * batch, (k + 1) * batch), rates);
        if (performance.now() - told > 80) {
          told = performance.now();
          const done = (epoch + (k + 1) / each) / epochs;
          postMessage({ kind: "trained", done, params: pupil.params });
        }
      }
    }
    postMessage({ kind: "trained", done: 1, params: pupil.params });
  },
};

onmessage = ({ data }) => answer[data.kind](data);
