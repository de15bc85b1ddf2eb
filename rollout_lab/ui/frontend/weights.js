// A canary's share three times: what was asked for, what whole Pods give, what was measured (with its error).

import { attr, el, keyed, show, style, text } from './dom.js';

export function drawWeights(list, weights) {
  show(list, weights.length > 0);
  keyed(list, weights, (w) => w.key, makeWeight, drawWeight);
}

function makeWeight(w) {
  const gauge = el('div', { class: 'gauge', 'aria-hidden': 'true' }, el('div', { class: 'fill' }), el('div', { class: 'error' }));
  return el('div', { class: 'weight', 'data-weight': w.key }, el('span', { class: 'who' }), gauge, el('b'));
}

function drawWeight(node, w) {
  const [who, gauge, value] = node.children;
  text(who, w.text);
  text(value, w.value);
  const [fill, error] = gauge.children;
  attr(fill, 'data-colour', w.colour);
  style(fill, 'transform', `scaleX(${(w.share ?? 0).toFixed(4)})`);
  show(error, w.low !== null);
  if (w.low === null) return;
  style(error, 'left', `${(100 * w.low).toFixed(2)}%`);
  style(error, 'width', `${(100 * (w.high - w.low)).toFixed(2)}%`);
}
