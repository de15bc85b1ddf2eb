// What stands before the Services: users, the gateway, and an arrow for each way a request may take.
// By weight: a band as wide as its measured share. By header: dashes. A mirror: dots and an open head.

import { attr, attrs, keyed, show, style, svg, text } from './dom.js';
import { band, bandWidth } from './geometry.js';

const APART = 37; // px between two arrows that end at one box: a label above each, a word below
const BEND = 0.36; // of the way: from there on an arrow is level, for its words
const FADE = 450;

// How many arrows end at each Service; null without a gateway.
export function arrivals(data) {
  if (!data.gateway) return null;
  const found = {};
  for (const arrow of data.gateway.arrows) found[arrow.to] = (found[arrow.to] || 0) + 1;
  return found;
}

export class Gate {
  constructor() {
    this.ways = svg('g', { class: 'ways' });
    this.said = svg('g', { class: 'said' });
    this.users = svg(
      'g',
      { class: 'users' },
      svg('path', { class: 'person', d: 'M0,-11a4.5,4.5 0 1,1 .01,0M-8,3c0,-8 16,-8 16,0z' }),
      svg('text', { x: 14, 'dominant-baseline': 'central' }),
      svg('path', { class: 'way', 'data-kind': 'users', fill: 'none' }),
      svg('path', { class: 'head' }),
    );
    this.nodes = [this.ways, this.said, this.users];
  }

  draw(data, shape) {
    const at = shape.gate;
    show(this.users, Boolean(at));
    for (const node of this.nodes) attr(node, 'display', at ? null : 'none');
    const list = at ? this.place(data, shape) : [];
    keyed(this.ways, list, (a) => a.key, makeWay, (node, a) => drawWay(node, a, shape.narrow), FADE);
    keyed(this.said, shape.narrow ? [] : list, (a) => a.key, makeLabel, drawLabel);
    if (at) this.drawUsers(data, shape);
  }

  // Where each arrow leaves and ends: in the order of their ends, so that none crosses another.
  place(data, { gate, services, narrow }) {
    const byBox = new Map();
    for (const arrow of data.gateway.arrows) {
      if (!services.has(arrow.to)) continue;
      if (!byBox.has(arrow.to)) byBox.set(arrow.to, []);
      byBox.get(arrow.to).push({ ...arrow });
    }
    const list = [];
    for (const [id, box] of services) {
      const ending = byBox.get(id) || [];
      const apart = narrow ? 14 : APART;
      ending.forEach((arrow, i) => {
        arrow.y2 = box.y + box.h / 2 + (i - (ending.length - 1) / 2) * apart;
        arrow.x2 = box.x;
        list.push(arrow);
      });
    }
    list.sort((a, b) => a.y2 - b.y2);
    const step = Math.min(17, (gate.h - 16) / Math.max(1, list.length));
    list.forEach((arrow, i) => {
      const leave = (i - (list.length - 1) / 2) * step;
      if (narrow) {
        const x = 4 + (list.length - 1 - i) * 5.5;
        arrow.path = `M${x},${gate.y + gate.h}V${arrow.y2.toFixed(1)}H${arrow.x2}`;
      } else {
        const bent = gate.x + gate.w + (arrow.x2 - gate.x - gate.w) * BEND;
        arrow.path = `${band(gate.x + gate.w, gate.y + gate.h / 2 + leave, bent, arrow.y2)}H${arrow.x2}`;
      }
    });
    return list;
  }

  drawUsers(data, { gate, narrow }) {
    const [, said, way, head] = this.users.children;
    show(this.users, !narrow);
    attr(this.users, 'display', narrow ? 'none' : null);
    if (narrow) return;
    const top = Math.max(14, gate.y - 34);
    attr(this.users, 'transform', `translate(${gate.x + 14}, ${top})`);
    text(said, data.gateway.users);
    attr(way, 'd', `M0,6V${gate.y - top - 5}`);
    attr(head, 'd', `M-4,${gate.y - top - 7}h8l-4,6z`);
  }
}

function makeWay() {
  return svg('g', { class: 'arrow' }, svg('title'), svg('path', { class: 'way', fill: 'none' }), svg('path', { class: 'head' }));
}

function drawWay(node, arrow, narrow) {
  const [title, line, head] = node.children;
  attrs(node, { 'data-arrow': arrow.kind, 'data-to': arrow.to, 'data-colour': arrow.colour });
  text(title, arrow.title);
  attrs(line, { d: arrow.path, 'data-kind': arrow.kind, 'data-idle': arrow.idle });
  const weight = arrow.kind === 'weight';
  style(line, 'stroke-width', `${(weight ? bandWidth(arrow.share, narrow ? 4 : 14) : 2).toFixed(1)}px`);
  show(head, !weight);
  attr(head, 'display', weight ? 'none' : null);
  attr(head, 'data-kind', arrow.kind);
  attr(head, 'd', `M${arrow.x2 - 8},${arrow.y2 - 4.5}v9l8,-4.5z`);
}

function makeLabel() {
  return svg('g', { class: 'way-label' }, svg('text', { class: 'what', 'text-anchor': 'end' }), svg('text', { class: 'sub', 'text-anchor': 'end' }));
}

function drawLabel(node, arrow) {
  const [what, sub] = node.children;
  const half = arrow.kind === 'weight' ? bandWidth(arrow.share) / 2 : 1;
  attrs(what, { x: arrow.x2 - 12, y: (arrow.y2 - half - 4).toFixed(0), 'data-ink': arrow.colour });
  attrs(sub, { x: arrow.x2 - 12, y: (arrow.y2 + half + 13).toFixed(0) });
  attr(node, 'data-arrow', arrow.kind);
  text(what, arrow.label);
  text(sub, arrow.sub);
}

// In a narrow picture the arrows' words stand in the box they lead to, each with its mark.
export function drawWays(node, ways) {
  keyed(
    node,
    ways,
    (w) => w.key,
    () => {
      const mark = svg('svg', { viewBox: '0 0 12 6', width: 12, height: 6, 'aria-hidden': 'true' }, svg('path', { class: 'way', d: 'M0,3H12', fill: 'none' }));
      const found = document.createElement('span');
      found.append(mark, document.createElement('span'));
      return found;
    },
    (found, w) => {
      attr(found, 'data-colour', w.colour);
      attrs(found.firstChild.firstChild, { 'data-kind': w.kind });
      text(found.lastChild, w.kind === 'weight' ? w.title : w.label);
      attr(found, 'title', w.title);
    },
  );
}
