// The host's board: a card for each seat, with its step and its Pods. A card stays where it is.

import { attr, attrs, el, keyed, show, svg, text } from './dom.js';

export default function mount({ parentElement, data }) {
  const root = parentElement.querySelector('#live');
  if (!root.firstChild) root.append(el('p', { class: 'summary', 'aria-live': 'polite' }), el('p', { class: 'none' }), el('ul', { class: 'seats' }));
  const colour = getComputedStyle(root).getPropertyValue('--st-background-color').trim();
  const [r, g, b] = (colour.match(/[\da-f]{2}/gi) || ['ff', 'ff', 'ff']).map((part) => parseInt(part, 16));
  attrs(root, { lang: data.lang, 'data-theme': 0.299 * r + 0.587 * g + 0.114 * b < 128 ? 'dark' : 'light' });
  attr(document.documentElement, 'lang', data.lang);
  const [summary, none, seats] = root.children;
  text(summary, data.summary);
  text(none, data.label.none);
  show(none, data.seats.length === 0);
  keyed(seats, data.seats, (s) => s.key, makeSeat, drawSeat);
}

function makeSeat() {
  const head = el('div', { class: 'head' }, el('a', { target: '_blank' }), el('span', { class: 'rollout' }));
  const way = el('div', { class: 'way', 'aria-hidden': 'true' });
  return el('li', { class: 'card seat' }, head, el('b', { class: 'title' }), el('p', { class: 'step' }), way, el('div', { class: 'dots' }));
}

function drawSeat(node, seat) {
  attrs(node, { 'data-tone': seat.tone, 'data-seat': seat.name });
  const [head, title, step, way, dots] = node.children;
  attr(head.firstChild, 'href', `./${seat.link}`);
  text(head.firstChild, seat.name);
  text(head.lastChild, seat.rollout);
  text(title, seat.title);
  text(step, seat.step);
  keyed(way, seat.phases.map((state, i) => ({ state, i })), (p) => p.i, () => el('i'), (i, p) => attr(i, 'data-state', p.state));
  keyed(
    dots,
    seat.more ? [...seat.pods, { key: 'more', more: seat.more }] : seat.pods,
    (p) => p.key,
    (p) => (p.more ? el('span') : svg('svg', { viewBox: '-13 -13 26 26', width: 19, height: 19, class: 'pod', role: 'img' }, shapes())),
    (mark, p) => {
      if (p.more) text(mark, p.more);
      else attrs(mark, { 'data-state': p.state, 'data-colour': p.colour, 'aria-label': p.title });
    },
  );
}

function shapes() {
  const cross = svg('path', { class: 'cross', d: 'M-6,-6L6,6M6,-6L-6,6' });
  return svg('g', { class: 'shapes' }, svg('circle', { class: 'ring', r: 9 }), svg('circle', { class: 'disc', r: 10 }), svg('circle', { class: 'dot', r: 4 }), cross);
}
