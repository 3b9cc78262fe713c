// The points of a task. On polygons they are rebuilt one by one from the segments
// (spiral/tasks/cubist.py): the very float32 coordinates that Python trains on, in 1.5 KB
// instead of 400. Of other tasks the page has a sample.

/** Fill x and y (Float64Array holding float32 values) and label of all points. */
export function buildPoints(recipe) {
  return recipe.places ? readSample(recipe) : walk(recipe);
}

/** A sample in steps of the window, class 0 first. */
function readSample({ places, step, zeros }) {
  const whole = new Int16Array(Uint8Array.from(atob(places), (c) => c.charCodeAt(0)).buffer);
  const count = whole.length / 2;
  const along = (axis) => Float64Array.from({ length: count }, (_, i) => Math.fround(whole[2 * i + axis] * step));
  return { x: along(0), y: along(1), label: new Uint8Array(count).fill(1, zeros), count };
}

function walk({ segments, mean, deviation }) {
  const total = segments.flat().reduce((sum, segment) => sum + segment[4], 0);
  const x = new Float64Array(total), y = new Float64Array(total);
  const label = new Uint8Array(total);
  let place = 0;
  segments.forEach((polygon, kind) => {
    for (const [x0, y0, x1, y1, count] of polygon) {
      spread(x, place, x0, x1, count, mean[0], deviation[0]);
      spread(y, place, y0, y1, count, mean[1], deviation[1]);
      label.fill(kind, place, place + count);
      place += count;
    }
  });
  return { x, y, label, count: total };
}

/** Even steps from start to stop, rounded and standardised as in Python. */
function spread(into, place, start, stop, count, mean, deviation) {
  const step = (stop - start) / (count - 1);
  for (let i = 0; i < count; i++) {
    const raw = i === count - 1 ? stop : i * step + start;
    into[place + i] = Math.fround((Math.fround(raw) - mean) / deviation);
  }
}
