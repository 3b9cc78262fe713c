// The table of networks. Only rows in sight are in the page, so thousands are no burden.

import { html, set } from "./dom.js";
import { readFilter, sorted } from "./filter.js";
import { nameOf } from "./stats.js";

const COLUMNS = [
  ["method", "Method", (net) => net.method],
  ["width", "Width", (net) => net.width],
  ["nnz", "Weights", (net) => net.nnz],
  ["accuracy", "Accuracy", (net) => (net.accuracy === null ? "–" : (100 * net.accuracy).toFixed(2))],
  ["status", "Status", (net) => (net.method === "frontier" ? net.kind : net.status)],
];
const NUMERIC = ["width", "nnz", "accuracy"];
const SPARE = 6; // rows beyond the edge, so that scrolling shows no gaps

export function makeTable(root, app) {
  const { store } = app;
  const table = root.querySelector("table"), body = table.tBodies[0], box = table.parentElement;
  const search = root.querySelector("input"), count = root.querySelector("output");
  const kind = root.querySelector("select");
  const all = kind.options[0];
  let order = { key: "nnz", down: false }, rows = [], cursor = 0, high = 0;

  const heads = COLUMNS.map(([key, text]) => {
    const button = html("button", { type: "button" }, text);
    button.addEventListener("click", () => {
      order = { key, down: order.key === key ? !order.down : key === "accuracy" };
      collect();
    });
    return html("th", { scope: "col", "data-key": key, class: NUMERIC.includes(key) && "number" }, button);
  });
  const picks = html("th", { scope: "col" }, html("span", { class: "hidden" }, "Show on side"));
  table.tHead.rows[0].append(picks, ...heads);

  /** Show the networks of the task there is now. */
  function open() {
    const { networks } = app.data;
    for (const net of networks) {
      net.words = [net.id, net.method, net.status, net.about, net.kind ?? ""].join(" ").toLowerCase();
    }
    const methods = [...new Set(networks.map((net) => net.method))].sort();
    kind.replaceChildren(all, ...methods.map((method) => html("option", { value: method }, method)));
    kind.value = "";
    collect();
  }

  function collect() {
    const test = readFilter(search.value), method = kind.value;
    const found = app.data.networks.filter((net) => (!method || net.method === method) && test(net));
    rows = sorted(found, order.key, order.down);
    cursor = 0;
    box.scrollTop = 0;
    for (const head of heads) {
      const here = head.dataset.key === order.key;
      set(head, "aria-sort", here ? (order.down ? "descending" : "ascending") : "none");
    }
    count.textContent = rows.length === 1 ? "1 network" : `${rows.length.toLocaleString("en")} networks`;
    set(table, "aria-rowcount", rows.length + 1);
    draw();
  }

  function draw() {
    const held = body.contains(document.activeElement) && document.activeElement.dataset.side;
    const top = table.tHead.offsetHeight;
    const at = box.scrollTop;
    high ||= measureRow(); // which takes focus and scroll away
    const first = Math.max(0, Math.floor((at - top) / high) - SPARE);
    const stop = Math.min(rows.length, first + Math.ceil(box.clientHeight / high) + 2 * SPARE);
    const gap = (n) => html("tr", { class: "gap", "aria-hidden": "true", style: `height:${n * high}px` });
    const seen = rows.slice(first, stop).map((net, i) => line(net, first + i));
    body.replaceChildren(gap(first), ...seen, gap(rows.length - stop));
    if (box.scrollTop !== at) box.scrollTop = at;
    if (held) focus(held);
  }

  function measureRow() {
    body.replaceChildren(line(app.data.networks[0], 0));
    return body.rows[0].getBoundingClientRect().height || 28;
  }

  function line(net, i) {
    const shown = store.get().sides.map((side) => side?.id === net.id);
    const cells = COLUMNS.map(([key, , text]) =>
      html("td", { class: NUMERIC.includes(key) ? "number" : "text" }, text(net)));
    const buttons = ["A", "B"].map((letter, index) => html("button", {
      type: "button", class: "pick", "data-row": i, "data-side": index,
      "aria-pressed": String(shown[index]), tabindex: i === cursor && index === 0 ? 0 : -1,
      "aria-label": `Show ${nameOf(net)} on side ${letter}`,
    }, letter));
    const row = {
      "aria-rowindex": i + 2, "data-id": net.id, title: net.about, class: shown.some(Boolean) && "shown",
    };
    return html("tr", row, html("td", { class: "picks" }, ...buttons), ...cells);
  }

  function focus(side) {
    body.querySelector(`[data-row="${cursor}"][data-side="${side}"]`)?.focus({ preventScroll: true });
  }

  /** Move to a row and, where it is out of sight, scroll to it. */
  function go(row, side) {
    cursor = Math.max(0, Math.min(rows.length - 1, row));
    const top = cursor * high, head = table.tHead.offsetHeight;
    if (top < box.scrollTop) box.scrollTop = top;
    const below = top + high + head - box.clientHeight;
    if (below > box.scrollTop) box.scrollTop = below;
    draw();
    focus(side);
  }

  body.addEventListener("click", (event) => {
    const button = event.target.closest("button.pick"), row = event.target.closest("tr[data-id]");
    if (!row) return;
    cursor = Number(row.getAttribute("aria-rowindex")) - 2;
    const side = button ? Number(button.dataset.side) : store.get().active;
    app.load(side, app.data.byId.get(row.dataset.id));
    focus(side);
  });
  body.addEventListener("keydown", (event) => {
    const at = event.target.dataset;
    if (at.row === undefined) return;
    const row = Number(at.row), side = Number(at.side), page = Math.floor(box.clientHeight / high) - 1;
    const act = {
      ArrowDown: () => go(row + 1, side), ArrowUp: () => go(row - 1, side),
      PageDown: () => go(row + page, side), PageUp: () => go(row - page, side),
      Home: () => go(0, side), End: () => go(rows.length - 1, side),
      ArrowRight: () => go(row, 1), ArrowLeft: () => go(row, 0),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  let asked = 0;
  box.addEventListener("scroll", () => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(draw);
  });
  search.addEventListener("input", collect);
  kind.addEventListener("change", collect);
  open();
  return { draw, open, resize: () => { high = 0; draw(); } };
}
