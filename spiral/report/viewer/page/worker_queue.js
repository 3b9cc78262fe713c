// A queue before a worker: of each kind only the newest question waits while it is busy.

let url;

/** Start a worker on the same points. */
export function startWorker(recipe) {
  const source = document.getElementById("worker").textContent;
  url ??= URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.postMessage({ kind: "points", recipe });
  return worker;
}

/** ask(question) → reply(answer); an answer to an older question is not passed on. */
export function makeWorkerQueue(recipe, reply) {
  const worker = startWorker(recipe), waiting = new Map(), newest = {};
  let ticket = 0, busy = false;
  const next = () => {
    const [kind] = waiting.keys();
    busy = kind !== undefined;
    if (busy) {
      worker.postMessage(waiting.get(kind));
      waiting.delete(kind);
    }
  };
  worker.onmessage = ({ data }) => {
    next();
    const asked = data.kind === "measured" ? "measure" : "field";
    if (data.ticket === newest[asked]) reply(data);
  };
  return {
    /** Go on with the points of another task; older questions have no answer. */
    turn(next) {
      waiting.clear();
      for (const kind of ["measure", "field"]) newest[kind] = ++ticket;
      worker.postMessage({ kind: "points", recipe: next });
    },
    ask(question) {
      newest[question.kind] = ++ticket;
      waiting.set(question.kind, { ...question, ticket });
      if (!busy) next();
    },
    drop(kind) {
      waiting.delete(kind);
      newest[kind] = ++ticket;
    },
  };
}
