// The page: two sides, a table, a toolbar, held together by one state. It shows one task.

import { readData } from "./data.js";
import { html, partsOf, set, announce } from "./dom.js";
import { exportJson, exportPng, exportSvg } from "./export.js";
import { wholeOf } from "./fields.js";
import { decode, encode, linked, taskOf, unread } from "./hash.js";
import { bindKeys } from "./keys.js";
import { unitName } from "./layout.js";
import { zoomed } from "./map.js";
import { eachWeight } from "./network.js";
import { isDark } from "./paint.js";
import { makeActions, makePlay } from "./play.js";
import { makePanel } from "./panel.js";
import { fresh, makeStore, START } from "./state.js";
import { nameOf } from "./stats.js";
import { makeTable } from "./table.js";
import { makeTraining } from "./train.js";

const DRAWN = 6000; // about so many points are drawn on a map

const root = document.documentElement, page = partsOf(document);
const tasks = readData(JSON.parse(document.getElementById("data").textContent));
const HEADING = page.title.textContent;
page.task.append(...tasks.map(({ name }) => html("option", { value: name }, shortName(name))));
const dim = matchMedia("(prefers-color-scheme: dark)");
setTheme(dim.matches);

const app = { point, look, load };
enter(taskNamed(taskOf(location.hash)));
const store = makeStore(firstState());
app.store = store;
complain(location.hash);
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
page.task.addEventListener("change", () => turn(taskNamed(page.task.value)));
addEventListener("hashchange", () => {
  if (location.hash.slice(1) === written()) return;
  const task = taskNamed(taskOf(location.hash));
  if (task !== app.data) return turn(task, location.hash);
  store.set(decode(location.hash, app.data, store.get()));
  complain(location.hash);
  store.commit();
});

/** The task of a name; the first one if there is none of it. */
function taskNamed(name) {
  return tasks.find((task) => task.name === name) ?? tasks[0];
}

/** The last part of the name of a file, the whole of others. */
function shortName(name) {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** Make a task the one that all parts read. */
function enter(task) {
  const { count } = task.points, number = (n) => n.toLocaleString("en");
  Object.assign(app, { data: task, sample: sampleOf(task.points) });
  page.task.value = task.name;
  page.title.textContent = task === tasks[0] ? HEADING : `Sparse networks on ${shortName(task.name)}`;
  const sample = count < task.total ? `${number(count)} of ` : "";
  page.source.textContent = task === tasks[0] ? task.source
    : `${sample}${number(task.total)} points, chance ${(100 * task.chance).toFixed(1)} %`;
}

/** Say in the page what of a link is not shown. */
function complain(text) {
  page.unread.textContent = unread(text, app.data, store.get());
}

/** Turn to another task: its points, its networks; what was changed before is left behind. */
function turn(task, text = "") {
  enter(task);
  for (const side of sides) side.queue.turn(task.recipe);
  store.open({ ...firstState(text), show: store.get().show, active: store.get().active });
  table.open();
  complain(text);
  announce(`${page.title.textContent}: ${page.source.textContent}`);
}

/** The network that a link names, or the best pruner that needs the fewest weights, beside
 *  the best known of equal size. */
function firstState(text = location.hash) {
  const { data } = app;
  const rows = data.networks.filter((net) => net.method !== "frontier" && net.status === "ok");
  const able = rows.filter((net) => net.accuracy >= 0.95);
  const pruned = able.filter((net) => !["block", "mask", "dense"].includes(net.method));
  const least = (nets, rank) => nets.reduce((a, b) => (!a || rank(b) < rank(a) ? b : a), null);
  const left = linked(text, "a", data) ?? least(pruned.length ? pruned : able, (net) => net.nnz) ??
    least(rows, (net) => -net.accuracy) ?? data.smallestThatReaches(0.95) ?? data.networks[0];
  const right = (rows.length ? data.bestOfSize(left.nnz, left.width)
    : data.smallestThatReaches(1) ?? data.bestOfSize(Infinity)) ?? left;
  const other = right === left ? data.networks.find((net) => net !== left) ?? left : right;
  const sides = [left, other].map((net) => fresh(data, net));
  return decode(text, data, { ...START, view: wholeOf(data.half), sides });
}

function sampleOf({ x, y, label, count }) {
  const every = Math.max(1, Math.round(count / DRAWN));
  const some = (array) => array.filter((_, i) => i % every === 0);
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
  store.change(index, fresh(app.data, net));
  store.commit();
  page.unread.textContent = "";
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

/** The state as text. */
function written() {
  return encode(store.get(), app.data === tasks[0] ? null : app.data.name);
}

function writeHash() {
  const text = written();
  if (text !== null) history.replaceState(null, "", `#${text}`);
}

async function copyLink() {
  writeHash();
  if (written() === null) {
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
    store.set({ view: factor ? zoomed(view, factor, [view.x, view.y]) : wholeOf(view.most) });
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
