
"use strict";
// Columns sort by the first number in a cell, else as text; what has none comes last.
const first = (text) => {
  const found = text.replace(/,/g, "").replace("\u2212", "-").match(/-?\d+(\.\d+)?(e-?\d+)?/);
  return found && /^[<>\u2264\u2265]?-?[\d.]/.test(text) ? Number(found[0]) : null;
};
const order = (a, b, sign) => {
  const [x, y] = [first(a), first(b)];
  if (x !== null && y !== null) return sign * (x - y);
  if (x !== null || y !== null) return x === null ? 1 : -1;
  return a === "-" || b === "-" ? (a === "-") - (b === "-") : sign * a.localeCompare(b);
};
document.querySelectorAll("th button").forEach((button) => {
  button.addEventListener("click", () => {
    const head = button.parentElement;
    const up = head.getAttribute("aria-sort") !== "ascending";
    const body = head.closest("table").tBodies[0];
    const rows = Array.from(body.rows);
    const texts = new Map(rows.map((r) => [r, r.cells[head.cellIndex].textContent]));
    rows.sort((a, b) => order(texts.get(a), texts.get(b), up ? 1 : -1));
    head.parentElement.querySelectorAll("th").forEach((th) => th.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...rows);
  });
});
