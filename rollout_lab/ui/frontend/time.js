// The slider over time: any moment of the run, with a mark for everything a person or the engine did.
// It moves at once under the hand; the picture follows as the answers come. `null` is the present.

import { attr, attrs, clock, el, keyed, show, style, svg, text } from './dom.js';

const SEND_EVERY = 80; // ms between two moves that are sent
const FRAME = 100; // ms between two steps of a replay
const RATES = [1, 4, 16];
const NEAR = 0.05; // seconds within which a moment is a mark's own

const ICONS = {
  back: 'M3 3h2v10H3zM13 3v10L6 8z',
  forth: 'M11 3h2v10h-2zM3 3v10l7-5z',
  play: 'M4 2.5v11l9-5.5z',
  stop: 'M4 3h3v10H4zM9 3h3v10H9z',
};

export class TimeBar {
  // `send(number, seconds or null, rests)` tells Python where the slider is.
  constructor(labels, send) {
    this.send = send;
    this.moved = null; // {seq, t}: where the hand is, until Python shows it
    this.seq = 0;
    this.rate = RATES[1];
    this.range = el('input', { type: 'range', class: 'range', min: '0', step: '0.05', 'aria-label': labels.time_slider });
    this.marks = el('div', { class: 'stops', 'aria-hidden': 'true' });
    this.track = el('div', { class: 'rail', 'aria-hidden': 'true' }, el('div', { class: 'ran' }), el('div', { class: 'seen' }));
    this.back = this.button(() => this.jump(-1), ICONS.back);
    this.forth = this.button(() => this.jump(1), ICONS.forth);
    this.play = this.button(() => this.toggle(), ICONS.play);
    this.speed = this.button(() => this.faster());
    this.live = el('button', { type: 'button', class: 'golive' }, el('i', { 'aria-hidden': 'true' }), el('span'));
    this.live.addEventListener('click', () => this.go(null, true));
    this.said = el('p', { class: 'where', 'aria-live': 'polite' });
    this.node = el(
      'section',
      { class: 'card time', 'aria-label': labels.time },
      el('div', { class: 'controls' }, this.back, el('div', { class: 'slot' }, this.track, this.marks, this.range), this.forth, this.play, this.speed, this.live),
      this.said,
    );
    this.range.addEventListener('input', () => this.dragged(false));
    this.range.addEventListener('change', () => this.dragged(true));
    this.range.addEventListener('keydown', (event) => this.onKey(event));
  }

  button(work, icon) {
    const sign = icon && svg('svg', { viewBox: '0 0 16 16', width: 14, height: 14, 'aria-hidden': 'true' }, svg('path', { d: icon }));
    const node = el('button', { type: 'button' }, sign);
    node.addEventListener('click', work);
    return node;
  }

  draw(data) {
    const { time, label } = data;
    show(this.node, Boolean(time));
    if (!time) return;
    this.data = time;
    this.seq = Math.max(this.seq, time.seq);
    if (this.moved && time.seq >= this.moved.seq) this.moved = null;
    this.label = label;
    attr(this.range, 'max', time.end.toFixed(2));
    keyed(
      this.marks,
      time.stops,
      (s) => s.key,
      () => el('span', { class: 'stop' }),
      (node, s) => {
        style(node, 'left', `${((100 * s.t) / time.end).toFixed(3)}%`);
        attrs(node, { 'data-act': s.act, title: `${clock(s.t)} ${s.text}` });
      },
    );
    text(this.live.lastChild, label.live);
    attr(this.back, 'aria-label', label.back);
    attr(this.back, 'title', label.back);
    attr(this.forth, 'aria-label', label.forth);
    attr(this.forth, 'title', label.forth);
    attr(this.speed, 'aria-label', label.rate);
    text(this.said, time.said);
    this.place();
  }

  // Everything that hangs on where the slider is.
  place() {
    const { time, label } = { time: this.data, label: this.label };
    const t = this.at();
    const shown = t === null ? time.now : t;
    if (Number(this.range.value) !== shown) this.range.value = shown;
    style(this.track, '--ran', `${((100 * time.now) / time.end).toFixed(3)}%`);
    style(this.track, '--seen', `${((100 * shown) / time.end).toFixed(3)}%`);
    attrs(this.range, { 'aria-valuetext': t === null ? label.live : `${clock(shown)} ${time.what}` });
    attrs(this.live, { 'aria-pressed': String(t === null), 'data-on': t === null });
    attr(this.play.firstChild.firstChild, 'd', this.timer ? ICONS.stop : ICONS.play);
    attrs(this.play, { 'aria-label': this.timer ? label.stop : label.play, title: this.timer ? label.stop : label.play });
    text(this.speed, `×${this.rate}`);
  }

  // The moment shown, null for the present.
  at() {
    return this.moved ? this.moved.t : this.data.t;
  }

  dragged(rests) {
    this.stop();
    const wanted = Number(this.range.value);
    this.go(wanted >= this.data.now - NEAR ? null : wanted, rests);
  }

  // Show a moment; `rests`: stay there (it goes into the URL).
  go(t, rests) {
    if (!this.data) return;
    if (rests) this.stop();
    this.moved = { seq: this.seq + 1, t };
    this.place();
    clearTimeout(this.later);
    const now = performance.now();
    const wait = rests ? 0 : Math.max(0, SEND_EVERY - (now - (this.sent || 0)));
    this.later = setTimeout(() => {
      this.sent = performance.now();
      this.seq += 1;
      this.moved = { seq: this.seq, t };
      this.send(this.seq, t, rests);
    }, wait);
  }

  // To the mark before or after; after the last one comes the present.
  jump(way) {
    if (!this.data) return;
    const t = this.at();
    const stops = this.data.stops.map((s) => s.t);
    if (way < 0) {
      const from = t === null ? this.data.now : t;
      const before = stops.filter((s) => s < from - NEAR);
      this.go(before.length ? before.at(-1) : 0, true);
    } else if (t !== null) {
      const next = stops.find((s) => s > t + NEAR);
      this.go(next === undefined ? null : next, true);
    }
  }

  // Replay from here to the present; from the present: from the beginning of the last update.
  toggle() {
    if (!this.data) return;
    if (this.timer) {
      this.stop();
      this.go(this.at(), true);
      return;
    }
    let t = this.at() ?? this.data.again;
    let last = performance.now();
    this.timer = setInterval(() => {
      const now = performance.now();
      t += ((now - last) / 1000) * this.rate;
      last = now;
      if (t >= this.data.now - NEAR || !this.node.isConnected) {
        this.stop();
        this.go(null, true);
      } else {
        this.go(t, false);
      }
    }, FRAME);
    this.go(t, false);
  }

  faster() {
    this.rate = RATES[(RATES.indexOf(this.rate) + 1) % RATES.length];
    this.place();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
  }

  nudge(seconds) {
    const to = Math.max(0, (this.at() ?? this.data.now) + seconds);
    this.go(to >= this.data.now - NEAR ? null : to, true);
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = {
      ArrowLeft: () => this.nudge(-1),
      ArrowRight: () => this.nudge(1),
      ArrowDown: () => this.jump(-1),
      PageDown: () => this.jump(-1),
      ArrowUp: () => this.jump(1),
      PageUp: () => this.jump(1),
      Home: () => this.go(0, true),
      End: () => this.go(null, true),
      ' ': () => this.toggle(),
    };
    if (!(event.key in moves) || !this.data) return;
    moves[event.key]();
    event.preventDefault();
    event.stopPropagation();
  }

  // A key pressed anywhere on the page; whether it was one of ours.
  key(event) {
    const work = { ArrowLeft: () => this.jump(-1), ArrowRight: () => this.jump(1), Space: () => this.toggle() }[event.code];
    if (!work || !this.data) return false;
    work();
    return true;
  }

  // A new session of the server counts from its own number.
  begin() {
    this.stop();
    clearTimeout(this.later);
    this.moved = null;
    this.seq = 0;
  }
}
