// Interactions with a graph: click prunes, dragging up and down changes a weight, arrow keys do
// both. One edge and one unit are in the tab order; arrows lead to the others.

const PIXELS = 120; // of dragging change a weight by its own size (at least by 0.5)

export function nudge(weight, part) {
  return Math.fround(weight + part * Math.max(Math.abs(weight), 0.5));
}

function move(items, from, to) {
  const target = items[Math.max(0, Math.min(items.length - 1, to))];
  if (!target) return;
  items[from].group.setAttribute("tabindex", -1);
  target.group.setAttribute("tabindex", 0);
  target.group.focus();
}

export function handleEdges(edges, on) {
  edges.forEach(({ group, place }, i) => {
    group.addEventListener("pointerdown", (event) => begin(event, group, place, on));
    group.addEventListener("pointerenter", () => on.look(place));
    group.addEventListener("focus", () => on.look(place));
    group.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const fine = event.shiftKey ? 0.01 : 0.05;
      const act = {
        ArrowUp: () => on.nudge(place, fine),
        ArrowDown: () => on.nudge(place, -fine),
        PageUp: () => on.nudge(place, 0.5),
        PageDown: () => on.nudge(place, -0.5),
        ArrowRight: () => move(edges, i, i + 1),
        ArrowLeft: () => move(edges, i, i - 1),
        Home: () => move(edges, i, 0),
        End: () => move(edges, i, edges.length - 1),
        Enter: () => on.toggle(place),
        " ": () => on.toggle(place),
        Delete: () => on.toggle(place),
      }[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
  });
}

/** Follow a pointer from an edge until it is let go. */
function begin(event, group, place, on) {
  if (event.button !== 0) return;
  event.preventDefault();
  const { clientY, pointerId } = event, weight = on.weight(place);
  let dragged = false;
  const follow = (moved) => {
    if (moved.pointerId !== pointerId) return;
    const up = clientY - moved.clientY;
    if (Math.abs(up) > 4) dragged = true;
    if (dragged) on.drag(place, nudge(weight, (up / PIXELS) * (moved.shiftKey ? 0.1 : 1)));
  };
  const end = (ended) => {
    if (ended.pointerId !== pointerId) return;
    for (const [name, listener] of listeners) removeEventListener(name, listener);
    if (dragged) on.drop(place);
    else if (ended.type === "pointerup") on.toggle(place);
  };
  const listeners = [["pointermove", follow], ["pointerup", end], ["pointercancel", end]];
  for (const [name, listener] of listeners) addEventListener(name, listener);
}

export function handleUnits(nodes, on) {
  nodes.forEach((node, i) => {
    const { group, layer, unit } = node;
    group.addEventListener("pointerenter", () => on.enlarge([layer, unit]));
    group.addEventListener("pointerleave", () => on.enlarge(null));
    group.addEventListener("focus", () => on.enlarge([layer, unit]));
    group.addEventListener("blur", () => on.enlarge(null));
    group.addEventListener("click", () => on.select(layer, unit));
    group.addEventListener("keydown", (event) => {
      const nearest = (wanted) => {
        const row = nodes.filter((other) => other.layer === wanted);
        row.sort((a, b) => Math.abs(a.y - node.y) - Math.abs(b.y - node.y));
        return row.length ? nodes.indexOf(row[0]) : i;
      };
      const act = {
        ArrowUp: () => move(nodes, i, i - 1),
        ArrowDown: () => move(nodes, i, i + 1),
        ArrowLeft: () => move(nodes, i, nearest(layer - 1)),
        ArrowRight: () => move(nodes, i, nearest(layer + 1)),
        Enter: () => on.select(layer, unit),
        " ": () => on.select(layer, unit),
      }[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
  });
}
