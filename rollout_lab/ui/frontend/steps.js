// A canary's steps, and beside them what was wanted, what the Pods can give and what was measured.

import { attr, attrs, clock, el, keyed, show, style, text } from './dom.js';

export class Steps {
  constructor(labels) {
    this.title = el('h2');
    this.hint = el('span', { class: 'hint' });
    this.list = el('ol', { class: 'steps' });
    this.bars = el('div', { class: 'weights' });
    this.node = el(
      'section',
      { class: 'card canary', 'aria-label': labels.steps },
      el('header', {}, this.title, this.hint),
      this.list,
      this.bars,
    );
  }

  draw(data) {
    show(this.node, data.steps.length > 0);
    text(this.title, data.label.steps);
    text(this.hint, data.steps_hint);
    keyed(
      this.list,
      data.steps,
      (s) => s.key,
      () =>
        el(
          'li',
          {},
          el('i', { 'aria-hidden': 'true' }),
          el('b'),
          el('span', { class: 'sr' }),
          el('span', { class: 'note' }),
          el('div', { class: 'track', 'aria-hidden': 'true' }, el('div', { class: 'fill' })),
        ),
      (node, s) => {
        const [mark, name, spoken, note, track] = node.children;
        attrs(node, { 'data-state': s.state, 'aria-current': s.state === 'now' ? 'step' : null });
        text(mark, s.state === 'done' ? '✓' : s.number);
        text(name, s.text);
        text(spoken, `(${s.spoken})`);
        text(note, s.left === null ? s.note : `${s.note} ${clock(Math.ceil(s.left))}`);
        style(track, 'visibility', s.left === null ? 'hidden' : 'visible');
        const part = s.left !== null && s.total > 0 ? Math.min(1, s.left / s.total) : 0;
        style(track.firstChild, 'transform', `scaleX(${part.toFixed(4)})`);
      },
    );
    keyed(
      this.bars,
      data.weights,
      (w) => w.key,
      (w) =>
        el(
          'div',
          { class: 'weight', 'data-weight': w.key },
          el('span', { class: 'who' }),
          el(
            'div',
            { class: 'gauge', 'aria-hidden': 'true' },
            el('div', { class: 'fill' }),
            el('div', { class: 'error' }),
          ),
          el('b'),
        ),
      (node, w) => {
        const [who, gauge, value] = node.children;
        text(who, w.text);
        text(value, w.value);
        const [fill, error] = gauge.children;
        attr(fill, 'data-colour', w.colour);
        style(fill, 'transform', `scaleX(${(w.share ?? 0).toFixed(4)})`);
        show(error, w.low !== null);
        if (w.low !== null) {
          style(error, 'left', `${(100 * w.low).toFixed(2)}%`);
          style(error, 'width', `${(100 * (w.high - w.low)).toFixed(2)}%`);
        }
      },
    );
  }
}
