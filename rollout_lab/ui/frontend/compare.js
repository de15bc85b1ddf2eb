// Runs side by side: for each its Pods over time, which version users could reach, and its figures.
// All share one time axis, which begins where each set its image.

import { attr, attrs, clock, el, keyed, show, style, svg, text, theme } from './dom.js';

const HEIGHT = 74; // of the Pods; of a run that stands alone:
const ALONE = 210;
const LANE = 13; // of what users reach, and of what they heard
const TOP = 17; // room for the names of marks
const FOOT = 20; // room for the time axis

export default function mount(component) {
  const root = component.parentElement.querySelector('#live');
  const live = (root.live ||= new Compare(root));
  live.data = component.data;
  live.draw();
  return () => {
    if (!root.isConnected) live.resized.disconnect();
  };
}

class Compare {
  constructor(root) {
    this.root = root;
    this.summary = el('p', { class: 'sr' });
    this.runs = el('div', { class: 'runs' });
    this.key = el('p', { class: 'key' });
    this.table = el('table', {}, el('thead', {}, el('tr')), el('tbody'));
    this.wide = el('div', { class: 'wide', tabindex: '0' }, this.table);
    root.replaceChildren(el('div', { class: 'body compare' }, this.summary, this.runs, this.key, this.wide));
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(root);
  }

  draw() {
    const { data } = this;
    attrs(this.root, { lang: data.lang, 'data-theme': theme(this.root) });
    attr(document.documentElement, 'lang', data.lang);
    text(this.summary, data.summary);
    text(this.key, data.label.key);
    keyed(this.runs, data.runs, (run) => run.key, makeRun, (node, run) => drawRun(node, run, data));
    show(this.wide, Boolean(data.table));
    if (data.table) drawTable(this.table, data);
    attr(this.wide, 'aria-label', data.label.table);
  }
}

function makeRun() {
  const plot = svg('svg', { class: 'plot', role: 'img' });
  for (const part of ['grid', 'areas', 'lane', 'heard', 'marks', 'axis', 'ends', 'names']) plot.append(svg('g', { class: part }));
  const about = el('div', { class: 'about' }, el('h3'), el('p', { class: 'kind' }), el('span', { class: 'badge' }));
  return el('section', { class: 'card run' }, about, el('div', { class: 'chart' }, plot), el('dl', { class: 'figures' }));
}

function drawRun(node, run, data) {
  const [about, chart, figures] = node.children;
  text(about.children[0], run.name);
  text(about.children[1], run.kind);
  text(about.children[2], run.badge);
  attr(about.children[2], 'data-predicted', run.predicted);
  const plot = chart.firstChild;
  const width = Math.max(220, Math.floor(chart.clientWidth));
  const tall = data.runs.length > 1 ? HEIGHT : ALONE;
  attr(node, 'data-alone', data.runs.length === 1);
  const heard = data.runs.some((one) => one.answers.length) ? LANE + 3 : 0;
  const height = TOP + tall + 5 + LANE + heard + FOOT;
  attrs(plot, { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-label': `${run.name}: ${run.figures.map((f) => `${f.text} ${f.value}`).join(', ')}` });
  const left = 22;
  const x = (t) => left + ((t - data.axis.x0) / (data.axis.x1 - data.axis.x0)) * (width - left - 34);
  const y = (n) => TOP + tall - (n / run.top) * tall;
  const [grid, areas, lane, answers, marks, axis, ends, names] = plot.children;
  drawGrid(grid, run, y, left, x(data.axis.x1));
  const start = data.axis.x0;
  keyed(areas, run.layers, (l) => l.key, () => svg('path', { class: 'area' }), (path, l) => {
    attrs(path, { 'data-colour': l.colour, 'data-predicted': run.predicted, d: stack(l.steps, start, run.end, x, y) });
  });
  drawLane(lane, run, x, TOP + tall + 5, start);
  drawHeard(answers, run, x, TOP + tall + 8 + LANE, start);
  drawMarks(marks, run, x, width, TOP + tall);
  drawNames(names, run, start, x, y);
  drawAxis(axis, data.axis, x, height - 5, width);
  keyed(ends, run.layers.length ? [run] : [], () => 'end', () => svg('g', {}, svg('line'), svg('text', { 'dominant-baseline': 'central' })), (g) => {
    attrs(g.firstChild, { x1: x(run.end), x2: x(run.end), y1: TOP - 2, y2: TOP + tall + 5 + LANE + heard });
    attrs(g.lastChild, { x: x(run.end) + 5, y: TOP + tall + 5 + LANE / 2 });
    text(g.lastChild, run.finished ? clock(run.end) : '…');
  });
  keyed(figures, run.figures, (f) => f.key, () => el('div', {}, el('dt'), el('dd')), (f, item) => {
    text(f.firstChild, item.text);
    text(f.lastChild, item.value);
    attrs(f, { 'data-best': item.best, 'data-bad': item.bad });
  });
}

function drawGrid(group, run, y, left, right) {
  keyed(group, [...new Set([0, run.replicas, run.top])], (n) => n, () => svg('g', {}, svg('line'), svg('text', { 'text-anchor': 'end', 'dominant-baseline': 'central' })), (g, n) => {
    attrs(g, { 'data-wanted': n === run.replicas });
    attrs(g.firstChild, { x1: left, x2: right, y1: y(n), y2: y(n) });
    attrs(g.lastChild, { x: left - 6, y: y(n) });
    text(g.lastChild, n === run.top && y(run.replicas) - y(n) < 11 && n !== run.replicas ? '' : n);
  });
}

function stack(steps, x0, end, x, y) {
  const upper = [];
  const lower = [];
  steps.forEach(([t, low, high], i) => {
    const from = Math.max(i ? t : x0, x0); // the first state held before the update as well
    const to = Math.min(end, i + 1 < steps.length ? steps[i + 1][0] : end);
    if (to <= from) return;
    upper.push(`${x(from).toFixed(1)},${y(high).toFixed(1)}`, `${x(to).toFixed(1)},${y(high).toFixed(1)}`);
    lower.push(`${x(from).toFixed(1)},${y(low).toFixed(1)}`, `${x(to).toFixed(1)},${y(low).toFixed(1)}`);
  });
  return upper.length ? `M${upper.join('L')}L${lower.reverse().join('L')}Z` : '';
}

// Each version is named once, where its area has the most room.
function drawNames(group, run, x0, x, y) {
  const items = run.layers.flatMap((layer) => {
    const spans = layer.steps.map(([t, low, high], i) => {
      const from = x(Math.max(i ? t : x0, x0));
      const to = x(Math.min(run.end, i + 1 < layer.steps.length ? layer.steps[i + 1][0] : run.end));
      return { from, to, top: y(high), bottom: y(low), room: Math.min(to - from, 120) * Math.min(y(low) - y(high), 20) };
    });
    const best = spans.reduce((a, b) => (b.room > a.room ? b : a), { room: 0 });
    return best.room && best.to - best.from > 46 && best.bottom - best.top > 13 ? [{ layer, best }] : [];
  });
  keyed(group, items, (n) => n.layer.key, () => svg('text', { 'text-anchor': 'middle', 'dominant-baseline': 'central' }), (node, { layer, best }) => {
    attrs(node, { x: ((best.from + best.to) / 2).toFixed(1), y: ((best.top + best.bottom) / 2).toFixed(1), 'data-on': layer.colour });
    text(node, layer.text);
  });
}

function drawLane(group, run, x, top, start) {
  const pieces = [];
  run.lane.forEach(({ t, parts }, i) => {
    const from = i ? t : start;
    const to = Math.min(run.end, i + 1 < run.lane.length ? run.lane[i + 1].t : run.end);
    if (to <= from) return;
    if (!parts.length) pieces.push({ key: `${t} none`, x: x(from), width: Math.max(3, x(to) - x(from)), y: top, height: LANE, down: true });
    let low = top + LANE;
    for (const part of parts) {
      const height = part.share * LANE;
      low -= height;
      pieces.push({ key: `${t} ${part.key}`, x: x(from), width: x(to) - x(from), y: low, height, colour: part.colour });
    }
  });
  keyed(group, pieces, (p) => p.key, () => svg('rect'), (rect, p) => {
    attrs(rect, { x: p.x.toFixed(1), y: p.y.toFixed(1), width: p.width.toFixed(1), height: p.height.toFixed(1) });
    attrs(rect, { 'data-colour': p.colour, 'data-down': p.down });
  });
}

// What the curl loop heard, span by span: failed answers from above, red, the versions from below.
function drawHeard(group, run, x, top, start) {
  const pieces = [];
  for (const { t, until, parts, failed, text: told } of run.answers) {
    const from = x(Math.max(start, t));
    const width = Math.max(1, x(Math.min(run.end, until)) - from - 0.6);
    if (until <= start || t >= run.end) continue;
    let low = top + LANE;
    for (const part of parts) {
      const height = part.share * LANE;
      low -= height;
      pieces.push({ key: `${t} ${part.key}`, x: from, width, y: low, height, colour: part.colour, told });
    }
    if (failed) pieces.push({ key: `${t} failed`, x: from, width, y: top, height: Math.max(3, failed * LANE), down: true, told });
  }
  keyed(group, pieces, (p) => p.key, () => svg('rect', {}, svg('title')), (rect, p) => {
    attrs(rect, { x: p.x.toFixed(1), y: p.y.toFixed(1), width: p.width.toFixed(1), height: p.height.toFixed(1) });
    attrs(rect, { 'data-colour': p.colour, 'data-down': p.down });
    text(rect.firstChild, p.told);
  });
}

function drawMarks(group, run, x, width, bottom) {
  let free = width - 4; // later marks are named first, an earlier one only where there is room left of it
  const items = run.marks
    .slice()
    .reverse()
    .map((m) => {
      const wide = [...m.text].reduce((sum, c) => sum + (c > '\u1100' ? 11.5 : 6.6), 8);
      const start = Math.min(x(m.t) - 2, free - wide);
      const shown = start > 8 && x(m.t) - start < 60;
      if (shown) free = start;
      return { ...m, start, shown };
    })
    .reverse();
  keyed(group, items, (m) => m.key, () => svg('g', { class: 'mark' }, svg('title'), svg('line'), svg('text')), (g, m) => {
    text(g.children[0], `${clock(m.t)} ${m.text}`);
    attrs(g.children[1], { x1: x(m.t), x2: x(m.t), y1: TOP - 4, y2: bottom });
    attrs(g.children[2], { x: m.start, y: TOP - 7, 'data-assumed': m.assumed });
    text(g.children[2], m.shown ? m.text : '');
  });
}

function drawAxis(group, { x0, x1 }, x, y, width) {
  const room = Math.max(2, Math.floor(width / 80));
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((s) => (x1 - x0) / s <= room) || 7200;
  const ticks = [];
  for (let t = 0; t <= x1; t += step) ticks.push(t);
  keyed(group, ticks, (t) => t, () => svg('text', { 'text-anchor': 'middle' }), (node, t) => {
    attrs(node, { x: x(t).toFixed(1), y });
    text(node, clock(t));
  });
}

function drawTable(table, { table: { head, rows }, label }) {
  const first = el('th', { scope: 'col' });
  keyed(table.tHead.rows[0], ['', ...head].map((name, i) => ({ name, i })), (h) => h.i, () => first.cloneNode(), (th, h) => text(th, h.i ? h.name : label.figures));
  keyed(table.tBodies[0], rows, (row) => row.key, () => el('tr'), (tr, row) => {
    const cells = [{ head: true, text: row.text, hint: row.hint }, ...row.cells];
    keyed(tr, cells.map((cell, i) => ({ ...cell, i })), (c) => c.i, (c) => (c.head ? el('th', { scope: 'row' }, el('b'), el('small')) : el('td')), (cell, c) => {
      if (c.head) {
        text(cell.children[0], c.text);
        text(cell.children[1], c.hint);
        return;
      }
      text(cell, c.value);
      attrs(cell, { 'data-best': c.best, 'data-bad': c.bad });
    });
  });
  style(table, 'min-width', `${190 + head.length * 110}px`);
}
