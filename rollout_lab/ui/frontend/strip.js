// The strip on top: what this strategy does, phase by phase, which one runs now and what ends it.
// Below it one line of constant height: the countdown where something runs out by itself, else the last reason.

import { attr, attrs, clock, el, keyed, show, style, text } from './dom.js';

export class Strip {
  constructor(labels) {
    this.name = el('h2');
    this.kind = el('span', { class: 'hint' });
    this.state = el('span', { class: 'state' });
    this.message = el('span', { class: 'message' });
    this.list = el('ol', { class: 'phases' });
    this.because = el('p', { class: 'because' });
    this.timers = el('div', { class: 'timers' });
    this.node = el(
      'section',
      { class: 'card strip', 'aria-label': labels.strip },
      el('header', {}, this.name, this.kind, el('span', { class: 'space' }), this.state, this.message),
      this.list,
      el('div', { class: 'waits' }, this.because, this.timers),
    );
  }

  draw(data) {
    text(this.name, data.head.name);
    text(this.kind, data.head.kind);
    text(this.state, data.head.state);
    attr(this.state, 'data-tone', data.head.tone);
    text(this.message, data.head.message);
    keyed(
      this.list,
      data.phases,
      (p) => p.key,
      () =>
        el(
          'li',
          {},
          el('i', { 'aria-hidden': 'true' }),
          el('b'),
          el('span', { class: 'sr' }),
          el('code'),
          el('span', { class: 'note' }),
        ),
      (node, p) => {
        attrs(node, { 'data-state': p.state, 'aria-current': p.state === 'now' ? 'step' : null });
        text(node.children[1], p.text);
        text(node.children[2], `(${p.spoken})`);
        text(node.children[3], p.code);
        show(node.children[3], Boolean(p.code));
        text(node.children[4], p.note);
      },
    );
    text(this.because, (data.why.find((line) => line.code !== 'deadline') || { text: '' }).text);
    attr(this.because, 'title', this.because.textContent);
    this.drawTimers(data.timers);
  }

  drawTimers(timers) {
    keyed(
      this.timers,
      timers,
      (t) => t.key,
      (t) =>
        el(
          'div',
          { class: 'timer', role: 'timer', 'aria-live': 'off', 'data-timer': t.key, 'data-tone': t.tone },
          el('span'),
          el('div', { class: 'track', 'aria-hidden': 'true' }, el('div', { class: 'fill' })),
          el('b'),
        ),
      (node, t) => {
        text(node.children[0], t.text);
        const part = t.total > 0 ? Math.min(1, Math.max(0, t.left / t.total)) : 0;
        style(node.children[1].firstChild, 'transform', `scaleX(${part.toFixed(4)})`);
        text(node.children[2], clock(Math.ceil(t.left)));
      },
    );
  }
}
