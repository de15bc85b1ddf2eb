// The picture (gateway →) Services → ReplicaSets → Pods. Arrows exist only where an EndpointSlice leads.

import { attr, attrs, el, keyed, style, svg, text } from './dom.js';
import { arrivals, drawWays, Gate } from './gateway.js';
import { band, bandWidth, layout, WIDEST } from './geometry.js';

const FADE = 450;
const REST = 2500; // ms without a change after which holes in a grid of more than FEW Pods are closed
const FEW = 6;
const LONG = 8; // letters of a version from which on it may be cut

export class Routing {
  constructor(labels) {
    this.places = new Map(); // set -> Map(pod name -> place), so that a Pod keeps its place
    this.bands = svg('g', { class: 'bands' });
    this.lines = svg('g', { class: 'lines' });
    this.shares = svg('g', { class: 'shares' });
    this.pods = svg('g', { class: 'pods' });
    this.gate = new Gate();
    this.layer = svg('svg', { class: 'layer', 'aria-hidden': 'true' }, this.bands, this.lines, this.shares, this.pods, ...this.gate.nodes);
    this.boxes = el('div', { class: 'boxes' });
    this.stage = el('div', { class: 'stage' }, this.layer, this.boxes);
    this.legend = el('ul', { class: 'legend' });
    this.title = el('h2');
    this.hint = el('span', { class: 'hint' });
    this.summary = el('p', { class: 'sr' });
    this.notes = el('ul', { class: 'not-obeyed' });
    this.node = el(
      'section',
      { class: 'card routing', 'aria-label': labels.routing },
      el('header', {}, this.title, this.hint),
      this.stage,
      this.summary,
      this.notes,
      this.legend,
    );
  }

  draw(data, width) {
    text(this.title, data.past ? data.label.routing_past : data.label.routing);
    text(this.hint, data.gateway ? data.label.routing_hint_gateway : data.label.routing_hint);
    text(this.summary, data.summary);
    this.drawLegend(data);
    this.settle(data.pods);
    const counts = {};
    for (const [set, places] of this.places) counts[set] = Math.max(0, ...places.values()) + (places.size ? 1 : 0);
    const shape = layout(
      width,
      data.services.map((s) => s.id),
      data.sets.map((s) => s.hash),
      counts,
      arrivals(data),
    );
    style(this.stage, 'height', `${shape.height}px`);
    attrs(this.layer, { width, height: shape.height, viewBox: `0 0 ${width} ${shape.height}` });
    attr(this.stage, 'data-narrow', shape.narrow);
    attr(this.stage, 'data-gated', Boolean(shape.gate));
    this.drawBoxes(data, shape);
    this.drawBands(data, shape);
    this.drawPods(data, shape);
    this.gate.draw(data, shape);
    keyed(this.notes, data.gateway?.notes || [], (n) => n, () => el('li'), (node, n) => text(node, n));
  }

  // The lowest free place for each new Pod; a Pod keeps its place until it is gone.
  settle(pods) {
    const present = new Map();
    for (const pod of pods) {
      if (!present.has(pod.set)) present.set(pod.set, []);
      present.get(pod.set).push(pod.name);
    }
    for (const set of this.places.keys()) if (!present.has(set)) this.places.delete(set);
    for (const [set, names] of present) {
      const places = this.places.get(set) || new Map();
      const there = new Set(names);
      for (const name of [...places.keys()]) if (!there.has(name)) places.delete(name);
      const taken = new Set(places.values());
      const free = () => {
        let lowest = 0;
        while (taken.has(lowest)) lowest += 1;
        taken.add(lowest);
        return lowest;
      };
      const known = names.join(' ');
      const now = performance.now();
      if (places.known !== known) places.since = now;
      places.known = known;
      for (const name of names) if (!places.has(name)) places.set(name, free());
      if (places.size > FEW && now - places.since > REST) closeUp(places, taken, free);
      this.places.set(set, places);
    }
  }

  drawBoxes(data, shape) {
    const items = [
      ...(shape.gate ? [{ kind: 'gate', id: 'gate', item: data.gateway, at: shape.gate }] : []),
      ...data.services.map((item) => ({ kind: 'service', id: `service/${item.id}`, item, at: shape.services.get(item.id) })),
      ...data.sets.map((item) => ({ kind: 'set', id: `set/${item.hash}`, item, at: shape.sets.get(item.hash) })),
    ];
    keyed(this.boxes, items, (i) => i.id, makeBox, (node, i) => DRAW[i.kind](node, i), FADE);
    for (const service of shape.narrow ? data.services : []) {
      const ways = data.gateway?.arrows.filter((a) => a.to === service.id) || [];
      drawWays(this.boxes.keyedNodes.get(`service/${service.id}`).lastChild, ways);
    }
  }

  drawBands(data, shape) {
    const led = new Set(data.routes.map((r) => `${r.service} ${r.set}`));
    const wide = shape.narrow ? 9 : WIDEST;
    const list = [];
    for (const service of data.services) {
      const parts = service.shares.filter((s) => led.has(`${service.id} ${s.hash}`) && shape.sets.has(s.hash));
      parts.sort((a, b) => shape.sets.get(a.hash).y - shape.sets.get(b.hash).y);
      parts.forEach((part, i) => list.push({ service, part, index: i, of: parts.length }));
    }
    const arriving = {};
    for (const b of list) (arriving[b.part.hash] ||= []).push(b);
    for (const b of list) {
      const from = shape.services.get(b.service.id);
      const to = shape.sets.get(b.part.hash);
      const others = arriving[b.part.hash];
      const leave = (b.index - (b.of - 1) / 2) * (wide + 6);
      const arrive = (others.indexOf(b) - (others.length - 1) / 2) * (wide + 4);
      b.y1 = from.y + from.h / 2 + leave;
      b.y2 = to.y + to.h / 2 + arrive;
      b.path = band(from.x + from.w, b.y1, to.x, b.y2);
      b.at = [to.x - 30, b.y2]; // beside its end, where a band is level
    }
    keyed(
      this.bands,
      list,
      (b) => `${b.service.id} ${b.part.hash}`,
      () => svg('path', { class: 'band', fill: 'none' }),
      (node, b) => {
        attrs(node, { d: b.path, 'data-colour': b.part.colour, 'data-idle': b.part.share === 0 });
        style(node, 'stroke-width', `${bandWidth(b.part.share, wide).toFixed(1)}px`);
      },
      FADE,
    );
    keyed(
      this.shares,
      shape.narrow ? [] : list.filter((b) => b.of > 1 && b.part.text),
      (b) => `${b.service.id} ${b.part.hash}`,
      () => svg('text', { class: 'share', 'text-anchor': 'middle' }),
      (node, b) => {
        attrs(node, { x: b.at[0].toFixed(0), y: (b.at[1] + (b.index === 0 ? -12 : 21)).toFixed(0), 'data-ink': b.part.colour });
        text(node, b.part.text);
      },
    );
  }

  drawPods(data, shape) {
    const share = new Map();
    for (const route of data.routes) share.set(route.pod, Math.max(share.get(route.pod) ?? -1, route.share ?? -1));
    const items = data.pods
      .filter((pod) => shape.sets.has(pod.set))
      .map((pod) => ({ pod, at: shape.place(pod.set, this.places.get(pod.set).get(pod.name)), set: shape.sets.get(pod.set) }));
    const led = items.filter((i) => share.has(i.pod.name));
    const most = shape.narrow ? 5 : 8;
    const width = (measured) => bandWidth(measured < 0 ? null : measured, most);
    keyed(
      this.lines,
      shape.columns > 1 ? fans(led, share) : led.map((i) => ({ key: i.pod.name, share: share.get(i.pod.name), ...i })),
      (l) => l.key,
      () => svg('path', { class: 'line', fill: 'none' }),
      (node, l) => {
        const x = l.at.x - l.at.r - 3;
        const from = band(l.set.x + l.set.w, l.set.y + l.set.h / 2, x, l.at.y);
        const bracket = l.rows ? `M${x},${(l.rows[0] - l.at.r).toFixed(1)}V${(l.rows[1] + l.at.r).toFixed(1)}` : '';
        attrs(node, { d: from + bracket, 'data-colour': l.pod.colour });
        style(node, 'stroke-width', `${Math.min(width(l.share), l.rows ? 4 : most).toFixed(1)}px`);
      },
      FADE,
    );
    keyed(this.pods, items, (i) => i.pod.name, makePod, drawPod, FADE);
  }

  drawLegend(data) {
    keyed(
      this.legend,
      data.legend,
      (l) => l.state,
      (l) => {
        const mark = svg('svg', { viewBox: '-13 -13 26 26', width: 16, height: 16, 'aria-hidden': 'true' }, shapes(10));
        attr(mark, 'class', 'pod');
        return el('li', { 'data-state': l.state }, mark, el('span'));
      },
      (node, l) => text(node.lastChild, l.text),
    );
  }
}

// Pods in a grid: one line to the bracket around those an EndpointSlice leads to, or lines hide the Pods.
function fans(led, share) {
  const found = new Map();
  for (const i of led) {
    const fan = found.get(i.pod.set) || { key: `all ${i.pod.set}`, share: 0, pod: i.pod, set: i.set, ys: [], x: Infinity, r: i.at.r };
    fan.ys.push(i.at.y);
    fan.x = Math.min(fan.x, i.at.x);
    fan.share += Math.max(0, share.get(i.pod.name));
    found.set(i.pod.set, fan);
  }
  return [...found.values()].map((fan) => {
    const rows = [Math.min(...fan.ys), Math.max(...fan.ys)];
    return { ...fan, rows, at: { x: fan.x, y: (rows[0] + rows[1]) / 2, r: fan.r } };
  });
}

// The last Pods take the holes that others left.
function closeUp(places, taken, free) {
  for (const [name, place] of [...places].sort((a, b) => b[1] - a[1])) {
    if (place < places.size) return;
    taken.delete(place);
    places.set(name, free());
  }
}

function makeBox(i) {
  const rows = ['name', 'hash', 'facts', 'ways-in'].map((row) => el('div', { class: row }));
  return el('div', { class: `box ${i.kind}` }, ...rows);
}

function drawGate(node, { item, at }) {
  stand(node, at);
  attr(node, 'title', `${item.host} ${item.address}`.trim());
  const [name, host, facts] = node.children;
  parts(name, [
    { key: 'title', tag: 'b', text: item.title },
    { key: 'port', text: item.port, title: item.address },
  ]);
  parts(host, [{ key: 'host', text: item.host }]);
  parts(facts, [{ key: 'sample', text: item.sample }]);
}

const DRAW = { gate: drawGate, service: drawService, set: drawSet };

function stand(node, at) {
  style(node, 'transform', `translate(${at.x}px, ${at.y}px)`);
  style(node, 'width', `${at.w}px`);
  style(node, 'height', `${at.h}px`);
}

function parts(node, items) {
  keyed(node, items.filter((p) => p.text), (p) => p.key, (p) => el(p.tag || 'span', { class: p.key }), (n, p) => {
    if (p.pieces?.length) drawLead(n, p.pieces, p.text);
    else {
      delete n.keyedNodes; // pieces drawn later begin anew
      text(n, p.text);
    }
    attr(n, 'data-ink', p.ink);
    attr(n, 'title', p.title);
  });
}

// Where a Service leads: a long version is cut before its share is.
function drawLead(node, pieces, whole) {
  attr(node, 'title', whole);
  if (!node.keyedNodes) node.replaceChildren();
  keyed(node, pieces, (p) => p.hash, () => el('span', {}, el('span', { class: 'which' }), el('span', { class: 'part' })), (n, p) => {
    text(n.firstChild, p.version);
    attr(n, 'data-long', p.version.length > LONG);
    text(n.lastChild, `${p.text && ` ${p.text}`}${p === pieces.at(-1) ? '' : ' : '}`);
  });
}

function drawService(node, { item, at }) {
  stand(node, at);
  attrs(node, { 'data-edge': item.colour, title: item.id, 'data-changed': item.fresh });
  const [name, hash, facts] = node.children;
  const before = node.shownHash;
  node.shownHash = item.hash;
  parts(name, [
    { key: 'title', tag: 'b', text: item.title },
    { key: 'role', text: item.role },
    { key: 'port', text: item.port, title: item.address },
  ]);
  parts(hash, [
    { key: 'key', text: item.hashLabel },
    { key: 'value', tag: 'code', text: item.hash, ink: item.colour },
    { key: 'changed', text: item.changed, ink: item.colour },
    { key: 'beside', text: item.hash ? '' : item.sample },
  ]);
  const only = item.shares.length === 1 ? item.shares[0] : null;
  parts(facts, [
    { key: 'lead', tag: 'b', text: only ? only.full : item.mixed, ink: only ? only.colour : null, pieces: item.shares },
    { key: 'sample', text: item.hash ? item.sample : '', title: item.sampled },
  ]);
  if (before !== undefined && before !== item.hash) flash(hash.querySelector('.value'));
}

// Once, when the selector's key became another one.
function flash(node) {
  if (!node || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const ink = getComputedStyle(node).getPropertyValue('--c') || 'currentcolor';
  const lit = `color-mix(in srgb, ${ink} 45%, transparent)`;
  node.animate([{ background: 'transparent' }, { background: lit, offset: 0.3 }, { background: 'transparent' }], { duration: 1500, easing: 'ease-out' });
}

function drawSet(node, { item, at }) {
  stand(node, at);
  attrs(node, { 'data-tint': item.colour, 'data-empty': item.empty, 'data-long': item.title.length > LONG, title: item.name });
  const [name, hash, facts] = node.children;
  parts(name, [
    { key: 'version', tag: 'b', text: item.title, ink: item.colour },
    { key: 'set', text: item.title.length > LONG ? item.revision.split(' ').at(-1) : item.revision },
  ]);
  parts(hash, [{ key: 'value', tag: 'code', text: item.hash }]);
  parts(facts, [{ key: 'count', text: item.facts }]);
}

// All five shapes are there at once; the state decides which are seen, so a change can fade.
function shapes(r) {
  const c = r * 0.62;
  const ring = svg('circle', { class: 'ring', r: r - 1 });
  const disc = svg('circle', { class: 'disc', r });
  const dot = svg('circle', { class: 'dot', r: r * 0.38 });
  const cross = svg('path', { class: 'cross', d: `M${-c},${-c}L${c},${c}M${c},${-c}L${-c},${c}` });
  return svg('g', { class: 'shapes' }, ring, disc, dot, cross);
}

const ruler = document.createElement('canvas').getContext('2d');

// As much of a Pod's label as there is room for: name and state, the state alone, or its beginning.
function fitting(node, pod, room) {
  ruler.font = getComputedStyle(node).font;
  const fits = (said) => ruler.measureText(said).width <= room;
  const brief = pod.note || pod.label;
  const found = [pod.label, brief].find(fits);
  if (found) return found;
  let end = brief.length;
  while (end > 4 && !fits(`${brief.slice(0, end)}…`)) end -= 1;
  return `${brief.slice(0, end)}…`;
}

function makePod(i) {
  const node = svg('g', { class: 'pod' }, svg('title'), shapes(11), svg('text', { class: 'label', 'dominant-baseline': 'central' }));
  style(node, 'transform', `translate(${i.at.x}px, ${i.at.y}px)`);
  return node;
}

function drawPod(node, { pod, at }) {
  attrs(node, { 'data-state': pod.state, 'data-colour': pod.colour, 'data-pod': pod.name });
  style(node, 'transform', `translate(${at.x}px, ${at.y}px)`);
  const [title, shape, label] = node.children;
  text(title, pod.title);
  style(shape, 'transform', `scale(${(at.r / 11).toFixed(3)})`);
  attr(label, 'x', at.r + 11);
  text(label, at.labelled ? fitting(label, pod, at.room) : '');
}
