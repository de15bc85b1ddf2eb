// Pods per version over time, and which version each Service led to, over the same time axis.

import { attr, attrs, clock, el, keyed, style, svg, text } from './dom.js';
import { drawWeights } from './weights.js';

const PODS = { height: 172, left: 30, right: 58, top: 26, bottom: 27 };
const LANE = { height: 22, gap: 15, left: 74, right: 66, top: 12, bottom: 22 };
const WEIGHT_HEIGHT = 25; // of each bar above the lanes

function card(name, labels) {
  const title = el('h2');
  const hint = el('span', { class: 'hint' });
  const plot = svg('svg', { class: 'plot', role: 'img' });
  const node = el('section', { class: `card ${name}`, 'aria-label': labels[name] }, el('header', {}, title, hint), plot);
  return { title, hint, plot, node };
}

function timeTicks(x0, x1, width) {
  const room = Math.max(2, Math.floor(width / 80));
  const step = [5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200].find((s) => (x1 - x0) / s <= room) || 14400;
  const ticks = [];
  for (let t = Math.ceil(x0 / step) * step; t <= x1; t += step) ticks.push(t);
  return ticks;
}

function drawTimeAxis(group, ticks, x, y) {
  keyed(
    group,
    ticks,
    (t) => t,
    () => svg('text', { 'text-anchor': 'middle' }),
    (node, t) => {
      attrs(node, { x: x(t).toFixed(1), y });
      text(node, clock(t));
    },
  );
}

// Where one looks back to: a line, and a veil over what came after it.
class Cursor {
  constructor() {
    this.veil = svg('rect', { class: 'veil' });
    this.line = svg('line', { class: 'cursor' });
    this.node = svg('g', { class: 'looking' }, this.veil, this.line);
  }

  draw(t, x, end, top, bottom) {
    const there = t !== null && t !== undefined;
    attr(this.node, 'visibility', there ? null : 'hidden');
    if (!there) return;
    const at = Math.min(x(t), end);
    attrs(this.veil, { x: at.toFixed(1), y: top, width: Math.max(0, end - at).toFixed(1), height: Math.max(0, bottom - top) });
    attrs(this.line, { x1: at.toFixed(1), x2: at.toFixed(1), y1: top, y2: bottom });
  }
}

// A press on the time axis shows that moment; past the present it goes back to live.
function pickable(chart) {
  chart.plot.addEventListener('click', (event) => {
    const { chart: c, left, inner, width } = chart.pick || {};
    if (!c || !chart.onPick) return;
    const box = chart.plot.getBoundingClientRect();
    const part = (((event.clientX - box.left) / box.width) * width - left) / inner;
    const t = c.x0 + part * (c.x1 - c.x0);
    if (part >= -0.01) chart.onPick(t >= c.t ? null : Math.max(0, t));
  });
}

export class PodsChart {
  constructor(labels) {
    Object.assign(this, card('pods_over_time', labels));
    this.grid = svg('g', { class: 'grid' });
    this.areas = svg('g', { class: 'areas' });
    this.outlook = svg('g', { class: 'outlook' });
    this.marks = svg('g', { class: 'marks' });
    this.axis = svg('g', { class: 'axis' });
    this.names = svg('g', { class: 'names' });
    this.now = svg('line', { class: 'now' });
    this.cursor = new Cursor();
    this.plot.append(this.grid, this.areas, this.outlook, this.marks, this.axis, this.now, this.names, this.cursor.node);
    pickable(this);
  }

  draw(data, width) {
    const { chart } = data;
    text(this.title, data.label.pods_over_time);
    text(this.hint, chart.outlook.length ? data.label.outlook_hint : data.label.pods_over_time_hint);
    attr(this.plot, 'aria-label', chart.summary || data.label.pods_over_time); // before the first Pod there is no sentence
    const { height, left, top, bottom } = PODS;
    const longest = Math.max(0, ...chart.versions.filter((v) => v.now > 0).map((v) => v.text.length));
    const right = Math.max(PODS.right, Math.min(longest * 7.4 + 10, width * 0.3));
    attrs(this.plot, { width, height, viewBox: `0 0 ${width} ${height}` });
    const x = (t) => left + ((t - chart.x0) / (chart.x1 - chart.x0)) * (width - left - right);
    const y = (n) => height - bottom - (n / chart.top) * (height - top - bottom);
    keyed(
      this.grid,
      chart.ticks,
      (n) => n,
      () => svg('g', {}, svg('line'), svg('text', { 'text-anchor': 'end', 'dominant-baseline': 'central' })),
      (node, n) => {
        attrs(node.firstChild, { x1: left, x2: width - right, y1: y(n).toFixed(1), y2: y(n).toFixed(1) });
        attrs(node.lastChild, { x: left - 8, y: y(n).toFixed(1) });
        text(node.lastChild, n);
      },
    );
    const now = Math.min(chart.t, chart.x1);
    keyed(
      this.areas,
      chart.versions,
      (v) => v.hash,
      () => svg('path', { class: 'area' }),
      (node, v) => attrs(node, { 'data-colour': v.colour, d: stack(v.steps, chart.x0, now, x, y) }),
    );
    keyed(
      this.outlook,
      chart.outlook,
      (o) => o.hash,
      () => svg('path', { class: 'ahead', fill: 'none' }),
      (node, o) => attrs(node, { 'data-shade': o.colour, d: edge(o.steps, chart.x0, Math.min(o.end, chart.x1), x, y) }),
    );
    this.drawMarks(chart.marks, x, top, height - bottom, width - right);
    drawTimeAxis(this.axis, timeTicks(chart.x0, chart.x1, width - left - right), x, height - 6);
    const nx = x(now).toFixed(1);
    attrs(this.now, { x1: nx, x2: nx, y1: top - 4, y2: height - bottom });
    this.pick = { chart, left, inner: width - left - right, width };
    this.cursor.draw(chart.cursor, x, x(now), top - 4, height - bottom);
    keyed(
      this.names,
      chart.versions.filter((v) => v.now > 0),
      (v) => v.hash,
      () => svg('text', { 'dominant-baseline': 'central' }),
      (node, v) => {
        attrs(node, { x: (x(now) + 6).toFixed(1), y: y(v.middle).toFixed(1), 'data-ink': v.colour });
        text(node, v.text);
      },
    );
  }

  drawMarks(marks, x, top, bottom, limit) {
    let free = limit; // later marks are named first, an earlier one only where there is room left of it
    const items = marks
      .slice()
      .reverse()
      .map((m) => {
        const at = x(m.t);
        const wide = [...m.text].reduce((sum, c) => sum + (c > '\u1100' ? 11.5 : 6.6), 8);
        const start = Math.min(at - 2, free - wide);
        const shown = at - start < 40;
        if (shown) free = start;
        return { ...m, at, start, shown };
      })
      .reverse();
    keyed(
      this.marks,
      items,
      (m) => m.key,
      () => svg('g', { class: 'mark' }, svg('title'), svg('line'), svg('text')),
      (node, m) => {
        text(node.children[0], `${clock(m.t)} ${m.text}`);
        attrs(node.children[1], { x1: m.at.toFixed(1), x2: m.at.toFixed(1), y1: top - 6, y2: bottom });
        attrs(node.children[2], { x: m.start.toFixed(1), y: top - 12 });
        text(node.children[2], m.shown ? m.text : '');
      },
    );
  }
}

// The upper edge of a predicted layer.
function edge(steps, x0, end, x, y) {
  const points = [];
  steps.forEach(([t, , high], i) => {
    const from = Math.max(t, x0);
    const to = Math.min(i + 1 < steps.length ? steps[i + 1][0] : end, end);
    if (to > from) points.push(`${x(from).toFixed(1)},${y(high).toFixed(1)}`, `${x(to).toFixed(1)},${y(high).toFixed(1)}`);
  });
  return points.length ? `M${points.join('L')}` : '';
}

// One version's layer of the stack: steps of [t, low, high], drawn as a single closed path.
function stack(steps, x0, now, x, y) {
  if (!steps.length) return '';
  const upper = [];
  const lower = [];
  steps.forEach(([t, low, high], i) => {
    const from = Math.max(t, x0);
    const to = i + 1 < steps.length ? steps[i + 1][0] : now;
    if (to <= from) return;
    upper.push(`${x(from).toFixed(1)},${y(high).toFixed(1)}`, `${x(to).toFixed(1)},${y(high).toFixed(1)}`);
    lower.push(`${x(from).toFixed(1)},${y(low).toFixed(1)}`, `${x(to).toFixed(1)},${y(low).toFixed(1)}`);
  });
  return upper.length ? `M${upper.join('L')}L${lower.reverse().join('L')}Z` : '';
}

export class LanesChart {
  constructor(labels) {
    Object.assign(this, card('lanes', labels));
    this.lanes = svg('g', { class: 'lanes' });
    this.axis = svg('g', { class: 'axis' });
    this.now = svg('line', { class: 'now' });
    this.cursor = new Cursor();
    this.plot.append(this.lanes, this.axis, this.now, this.cursor.node);
    pickable(this);
    this.weights = el('div', { class: 'weights' });
    this.plot.before(this.weights);
  }

  draw(data, width) {
    const { chart, lanes } = data;
    text(this.title, data.label.lanes);
    text(this.hint, data.lanes_hint);
    attr(this.plot, 'aria-label', data.summary || data.label.lanes);
    const left = Math.min(LANE.left, width * 0.2);
    const inner = width - left - LANE.right;
    drawWeights(this.weights, data.weights);
    const spare = PODS.height - data.weights.length * WEIGHT_HEIGHT;
    const height = Math.max(spare, LANE.top + lanes.length * (LANE.height + LANE.gap) + LANE.bottom);
    attrs(this.plot, { width, height, viewBox: `0 0 ${width} ${height}` });
    const x = (t) => left + ((t - chart.x0) / (chart.x1 - chart.x0)) * inner;
    const room = height - LANE.top - LANE.bottom;
    const now = Math.min(chart.t, chart.x1);
    keyed(
      this.lanes,
      lanes.map((lane, i) => ({ lane, y: LANE.top + (room / lanes.length) * (i + 0.5) - LANE.height / 2 })),
      (l) => l.lane.id,
      () =>
        svg(
          'g',
          { class: 'lane' },
          svg('text', { class: 'who', 'dominant-baseline': 'central' }),
          svg('g', { class: 'segments' }),
          svg('text', { class: 'split', 'dominant-baseline': 'central' }),
        ),
      (node, l) => this.drawLane(node, l, x, now, inner),
    );
    drawTimeAxis(this.axis, timeTicks(chart.x0, chart.x1, inner), x, height - 6);
    const nx = x(now).toFixed(1);
    attrs(this.now, { x1: nx, x2: nx, y1: 4, y2: height - LANE.bottom });
    this.pick = { chart, left, inner, width };
    this.cursor.draw(chart.cursor, x, x(now), 4, height - LANE.bottom);
  }

  drawLane(node, { lane, y }, x, now, inner) {
    style(node, 'transform', `translateY(${y}px)`);
    const [who, segments, split] = node.children;
    attrs(who, { x: 0, y: LANE.height / 2 });
    text(who, lane.title);
    const pieces = [];
    lane.segments.forEach((segment, i) => {
      const end = i + 1 < lane.segments.length ? lane.segments[i + 1].t : now;
      const x1 = x(segment.t);
      const x2 = x(end);
      let low = LANE.height;
      for (const part of segment.parts) {
        const high = low - part.share * LANE.height;
        const label = part.share > 0.6 && x2 - x1 > Math.max(48, part.text.length * 7.4 + 10) ? part.text : '';
        pieces.push({ key: `${segment.t} ${part.hash}`, x1, x2, y1: high, y2: low, colour: part.colour, label });
        low = high;
      }
    });
    keyed(
      segments,
      pieces,
      (p) => p.key,
      () => svg('g', {}, svg('rect'), svg('text', { 'dominant-baseline': 'central' })),
      (g, p) => {
        attrs(g.firstChild, {
          x: p.x1.toFixed(1),
          y: p.y1.toFixed(1),
          width: Math.max(0, p.x2 - p.x1).toFixed(1),
          height: Math.max(0, p.y2 - p.y1).toFixed(1),
          'data-colour': p.colour,
        });
        attrs(g.lastChild, { x: (p.x1 + 7).toFixed(1), y: ((p.y1 + p.y2) / 2).toFixed(1), 'data-on': p.colour });
        text(g.lastChild, p.label);
      },
    );
    attrs(split, { x: (x(now) + 8).toFixed(1), y: LANE.height / 2 });
    text(split, lane.split);
    attr(node, 'data-inner', inner > 0);
  }
}
