// The host's board: a card for each seat, with its step and its Pods. A card stays where it is.

import { Asked } from './asked.js';
import { attr, attrs, el, keyed, show, svg, text, theme } from './dom.js';

export default function mount(component) {
  const { parentElement, data } = component;
  const root = parentElement.querySelector('#live');
  const asked = (root.asked ||= new Asked(data));
  asked.heard(component);
  if (!root.firstChild) root.append(el('p', { class: 'summary', 'aria-live': 'polite' }), el('p', { class: 'none' }), el('ul', { class: 'seats' }));
  attrs(root, { lang: data.lang, 'data-theme': theme(root) });
  attr(document.documentElement, 'lang', data.lang);
  const [summary, none, seats] = root.children;
  text(summary, data.summary);
  text(none, data.label.none);
  show(none, data.seats.length === 0);
  keyed(seats, data.seats, (s) => s.key, () => makeSeat(asked), (node, seat) => drawSeat(node, seat, data.label));
}

const WORKS = ['reset', 'free'];
const PATIENCE = 8000; // ms after which a question that nobody answers goes away

// The host's buttons of one seat; what cannot be taken back is asked once more.
function makeTools(asked) {
  const node = el('div', { class: 'tidy' });
  const about = el('p', { class: 'said', role: 'status' });
  const start = WORKS.map((work) => el('button', { type: 'button', class: 'small', 'data-work': work }));
  const yes = el('button', { type: 'button', class: 'small sure', 'data-work': 'yes' });
  const no = el('button', { type: 'button', class: 'small', 'data-work': 'no' });
  node.append(about, ...start, yes, no);
  const ask = (work) => {
    clearTimeout(node.later);
    node.wanted = work;
    node.redraw();
    if (work) {
      no.focus();
      node.later = setTimeout(() => ask(null), PATIENCE);
    }
  };
  for (const button of start) button.addEventListener('click', () => ask(button.dataset.work));
  no.addEventListener('click', () => {
    const back = start[WORKS.indexOf(node.wanted)];
    ask(null);
    back?.focus();
  });
  yes.addEventListener('click', () => {
    asked.ask(node.wanted, node.seat.name);
    ask(null);
  });
  return node;
}

function drawTools(node, seat, label) {
  node.seat = seat;
  node.redraw = () => {
    const [about, reset, free, yes, no] = node.children;
    const wanted = seat.offer ? node.wanted : null;
    text(about, wanted ? seat.sure[wanted] : seat.work || seat.failed);
    attr(about, 'data-bad', Boolean(seat.failed && !wanted && !seat.work));
    show(about, Boolean(about.textContent));
    for (const [button, name] of [[reset, label.reset], [free, label.free]]) {
      text(button, name);
      attr(button, 'aria-label', `${seat.name}: ${name}`);
      show(button, seat.offer && !wanted);
    }
    text(yes, label[wanted || 'reset']);
    text(no, label.keep);
    show(yes, Boolean(wanted));
    show(no, Boolean(wanted));
  };
  node.redraw();
}

function makeSeat(asked) {
  const head = el('div', { class: 'head' }, el('a', { target: '_blank' }), el('span', { class: 'rollout' }));
  const way = el('div', { class: 'way', 'aria-hidden': 'true' });
  return el('li', { class: 'card seat' }, head, el('b', { class: 'title' }), el('p', { class: 'step' }), way, el('div', { class: 'dots' }), makeTools(asked));
}

function drawSeat(node, seat, label) {
  attrs(node, { 'data-tone': seat.tone, 'data-seat': seat.name });
  const [head, title, step, way, dots, tools] = node.children;
  drawTools(tools, seat, label);
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
