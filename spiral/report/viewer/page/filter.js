// What the table shows: words, comparisons such as nnz<=26 or accuracy>.95, a sort order.

const NUMBERS = {
  nnz: "nnz", weights: "nnz", width: "width", accuracy: "accuracy", acc: "accuracy",
  effective: "effective_nnz", effective_nnz: "effective_nnz", loss: "loss", seed: "seed", lr: "lr",
};
const COMPARE = {
  "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b,
  ">=": (a, b) => a >= b, "=": (a, b) => a === b, "!=": (a, b) => a !== b,
};

/** A test of networks from a text; every part must hold. */
export function readFilter(text) {
  const joined = text.trim().toLowerCase().replace(/\s*(<=|>=|!=|[<>=])\s*/g, "$1");
  const tests = joined.split(/\s+/).filter(Boolean).map((part) => {
    const found = part.match(/^([a-z_]+)(<=|>=|!=|[<>=])([\d.e+-]+)%?$/);
    if (found && NUMBERS[found[1]] && !Number.isNaN(Number(found[3]))) {
      const key = NUMBERS[found[1]], number = Number(found[3]) / (part.endsWith("%") ? 100 : 1);
      return (net) => net[key] !== null && COMPARE[found[2]](net[key], number);
    }
    return (net) => net.words.includes(part);
  });
  return (net) => tests.every((test) => test(net));
}

/** Networks in the order of a column; what has no value comes last. */
export function sorted(networks, key, down) {
  const rank = (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null);
    const order = typeof a === "string" ? a.localeCompare(b) : a - b;
    return down ? -order : order;
  };
  return networks.slice().sort((a, b) => rank(a[key], b[key]) || a.index - b.index);
}
