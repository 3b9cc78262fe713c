// The page: two sides, a table, a toolbar, held together by one state.

import { readData } from "./data.js";
import { partsOf, set, announce } from "./dom.js";
import { exportJson, exportPng, exportSvg } from "./export.js";
import { WHOLE } from "./fields.js";
import { decode, encode } from "./hash.js";
import { bindKeys } from "./keys.js";
import { unitName } from "./layout.js";
import { zoomed } from "./map.js";
import { eachWeight } from "./network.js";
import { isDark } from "./paint.js";
import { makeActions, makePlay } from "./play.js";
import { buildPoints } from "./points.js";
import { makePanel } from "./panel.js";
import { fresh, makeStore, START } from "./state.js";
import { nameOf } from "./stats.js";
import { makeTable } from "./table.js";
import { makeTraining } from "./train.js";

const EVERY = 8; // of the points drawn on a map

const root = document.documentElement, page = partsOf(document);
const data = readData(JSON.parse(document.getElementById("data").textContent));
page.source.textContent = data.source;
const dim = matchMedia("(prefers-color-scheme: dark)");
setTheme(dim.matches);

const store = makeStore(firstState());
const app = { data, store, sample: sampleOf(buildPoints(data.points)), point, look, load };
const actions = makeActions(store);
const sides = [0, 1].map((index) => {
  const card = document.getElementById("side").content.firstElementChild.cloneNode(true);
  page.sides.append(card);
  set(card, "aria-label", `Side ${"AB"[index]}`);
  card.querySelector(".letter").textContent = "AB"[index];
  const side = makePanel(card, index, app, actions);
  const followers = [side, makePlay(side, app), makeTraining(side, app)];
  for (const follower of followers) store.listen(follower.follow);
  card.addEventListener("pointerdown", () => activate(index), true);
  card.addEventListener("focusin", () => activate(index));
  bindSide(side);
  for (const follower of followers) follower.follow(store.get(), null);
  return side;
});
const table = makeTable(page.table, app);
let writing = 0;
store.listen((now, before) => {
  if (now.sides.some((side, i) => side.id !== before.sides[i].id)) table.draw();
  toolbar(now);
  clearTimeout(writing);
  writing = setTimeout(writeHash, 250);
});
toolbar(store.get());
new ResizeObserver(settle()).observe(page.sides);
addEventListener("hashchange", () => {
  if (location.hash.slice(1) !== encode(store.get())) {
    store.set(decode(location.hash, data, store.get()));
    store.commit();
  }
});

/** The best pruner that needs the fewest weights, beside the best known of equal size. */
function firstState() {
  const rows = data.networks.filter((net) => net.method !== "frontier" && net.status === "ok");
  const able = rows.filter((net) => net.accuracy >= 0.95);
  const pruned = able.filter((net) => !["block", "mask", "dense"].includes(net.method));
  const least = (nets, rank) => nets.reduce((a, b) => (!a || rank(b) < rank(a) ? b : a), null);
  const left = least(pruned.length ? pruned : able, (net) => net.nnz) ??
    least(rows, (net) => -net.accuracy) ?? data.smallestThatReaches(0.95);
  const right = rows.length ? data.bestOfSize(left.nnz, left.width)
    : data.smallestThatReaches(1) ?? data.bestOfSize(Infinity);
  const standard = { ...START, sides: [left, right].map((net) => fresh(data, net)) };
  return decode(location.hash, data, standard);
}

function sampleOf({ x, y, label }) {
  const some = (array) => array.filter((_, i) => i % EVERY === 0);
  return { x: some(x), y: some(y), label: some(label) };
}

function point(at) {
  for (const side of sides) side.point(at);
}

/** Show which weight the pointer or the focus is on. */
function look(side, place) {
  const { width, params, mask } = side.model;
  eachWeight(width, (here, layer, to, from) => {
    if (here !== place) return;
    const value = mask[place] ? params[place].toFixed(3) : "pruned";
    side.parts.hint.textContent = `${unitName(layer, from)} → ${unitName(layer + 1, to)}: ${value}`;
  });
}

function load(index, net) {
  store.change(index, fresh(data, net));
  store.commit();
  activate(index);
  announce(`${nameOf(net)} on side ${"AB"[index]}`);
}

function activate(index) {
  if (store.get().active !== index) store.set({ active: index });
}

function toggle(key) {
  const { show } = store.get();
  store.set({ show: { ...show, [key]: !show[key] } });
}

function toolbar({ show }) {
  for (const key of ["pruned", "lines", "data"]) set(page[key], "aria-pressed", String(show[key]));
  page.undo.disabled = !store.canUndo();
  page.redo.disabled = !store.canRedo();
}

function writeHash() {
  const text = encode(store.get());
  if (text !== null) history.replaceState(null, "", `#${text}`);
}

async function copyLink() {
  writeHash();
  if (encode(store.get()) === null) {
    return announce("These networks are too large for a link; save JSON instead", true);
  }
  try {
    await navigator.clipboard.writeText(location.href);
    announce("Link copied", true);
  } catch {
    announce("The address of this page is the link", true);
  }
}

function setTheme(dark) {
  root.dataset.theme = dark ? "dark" : "light";
  set(page.theme, "aria-pressed", String(dark));
}

function switchTheme(dark) {
  setTheme(dark);
  for (const side of sides) side.repaint();
}

/** Repaint when the width has changed; many changes are one repaint. */
function settle() {
  let asked = 0, known = page.sides.clientWidth;
  return () => {
    if (page.sides.clientWidth === known) return;
    known = page.sides.clientWidth;
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => { table.resize(); sides.forEach((side) => side.repaint()); });
  };
}

function bindSide(side) {
  const { parts } = side, zoom = (factor) => {
    const { view } = store.get();
    store.set({ view: factor ? zoomed(view, factor, [view.x, view.y]) : WHOLE });
  };
  const actions = {
    closer: () => zoom(1 / 1.5), wider: () => zoom(1.5), whole: () => zoom(0),
    png: () => exportPng(side), svg: () => exportSvg(side), json: () => exportJson([side]),
  };
  for (const [name, act] of Object.entries(actions)) parts[name].addEventListener("click", act);
}

const hidden = () => {
  const away = document.body.classList.toggle("alone");
  set(page.networks, "aria-expanded", String(!away));
};
const find = () => {
  if (document.body.classList.contains("alone")) hidden();
  page.search.focus();
};
const buttons = {
  networks: hidden, pruned: () => toggle("pruned"), lines: () => toggle("lines"),
  data: () => toggle("data"),
  undo: store.undo, redo: store.redo, link: copyLink, theme: () => switchTheme(!isDark()),
  help: () => page.keys.showModal(), both: () => exportJson(sides),
};
for (const [name, act] of Object.entries(buttons)) page[name].addEventListener("click", act);
bindKeys({
  n: hidden, p: buttons.pruned, z: buttons.lines, d: buttons.data, l: copyLink, t: buttons.theme,
  "?": buttons.help, "/": find, a: () => activate(0), b: () => activate(1),
  "ctrl+z": store.undo, "ctrl+shift+z": store.redo, "ctrl+y": store.redo,
});
dim.addEventListener("change", (event) => switchTheme(event.matches));
performance.mark("ready");
set(root, "data-ready", "true");
