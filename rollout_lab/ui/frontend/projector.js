// The projector: one step, one picture, the shares and why, in type for the back row. Never scrolls.
// Keys do what a lecturer does with a hand free: P, A, arrows, space, T. The tools show when the pointer moves.

import { Asked } from './asked.js';
import { attr, attrs, el, keyed, show, style, text, theme } from './dom.js';
import { arrivals } from './gateway.js';
import { GATE_WIDTH, layout } from './geometry.js';
import { Routing } from './routing.js';
import { drawWeights } from './weights.js';

const LARGEST = 2.6;
const SMALLEST = 0.8;
const TOOLS_SHOWN = 3500;
const LOOKS = { ArrowLeft: 'earlier', ArrowRight: 'later', Space: 'live', Escape: 'live', KeyT: 'theme' };
const ACTS = { KeyP: 'promote', KeyA: 'abort' };

export default function mount(component) {
  const root = component.parentElement.querySelector('#live');
  const live = (root.live ||= new Projector(root, component.data));
  live.refresh(component);
  return () => {
    if (!root.isConnected) live.close();
  };
}

class Projector {
  constructor(root, data) {
    this.root = root;
    this.tick = -1;
    this.asked = new Asked(data);
    this.title = el('h1');
    this.step = el('p', { class: 'step', 'aria-live': 'polite' });
    this.moment = el('p', { class: 'moment' });
    this.name = el('p', { class: 'subject' });
    this.routing = new Routing(data.label);
    this.place = el('div', { class: 'place' }, this.routing.node);
    this.why = el('p', { class: 'because' });
    this.formula = el('p', { class: 'formula' });
    this.bars = el('div', { class: 'weights' });
    this.axis = el('div', { class: 'percent', 'aria-hidden': 'true' }, el('span', {}, '0 %'), el('span', {}, '100 %'));
    this.notice = el('p', { class: 'notice', role: 'alert' });
    this.tools = el('nav', { class: 'tools', 'aria-label': data.label.tools });
    root.replaceChildren(
      el(
        'div',
        { class: 'screen' },
        el('header', {}, this.title, this.step, this.moment, this.name),
        this.place,
        el('div', { class: 'told' }, this.why, this.formula),
        el('div', { class: 'shares-now' }, this.bars, this.axis),
        this.notice,
        this.tools,
      ),
    );
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(root.firstChild);
    this.onKey = (event) => this.key(event);
    this.onMove = () => this.wake();
    document.addEventListener('keydown', this.onKey);
    document.addEventListener('pointermove', this.onMove);
  }

  refresh(component) {
    const { data } = component;
    if (this.asked.heard(component)) this.tick = -1;
    if (data.tick < this.tick) return; // an older answer that came late
    this.tick = data.tick;
    this.data = data;
    this.draw();
  }

  draw() {
    const { data } = this;
    if (!data) return;
    attrs(this.root, { lang: data.lang, 'data-theme': data.theme || theme(this.root) });
    attr(document.documentElement, 'lang', data.lang);
    text(this.title, data.headline.title);
    text(this.step, data.headline.step);
    attr(this.step, 'data-tone', data.headline.tone);
    text(this.moment, data.moment);
    show(this.moment, !data.live);
    text(this.name, data.headline.name);
    text(this.why, data.why.text);
    text(this.formula, data.why.formula);
    drawWeights(this.bars, data.bars);
    show(this.axis, data.bars.length > 0);
    text(this.notice, data.notice ? [data.notice.text, data.notice.remedy].filter(Boolean).join(' ') : '');
    show(this.notice, Boolean(data.notice));
    attr(this.notice, 'data-tone', data.notice?.tone);
    this.drawTools(data);
    this.drawPicture(data);
  }

  // As large as the room between headline and reason allows.
  drawPicture(data) {
    this.routing.settle(data.pods);
    const counts = {};
    for (const [set, places] of this.routing.places) counts[set] = Math.max(0, ...places.values()) + (places.size ? 1 : 0);
    const room = this.place.getBoundingClientRect();
    const narrow = room.width < 600;
    const ends = arrivals(data);
    const ids = [data.services.map((s) => s.id), data.sets.map((s) => s.hash)];
    const labelled = Math.max(1, ...Object.values(counts)) <= 4;
    show(this.routing.legend, !labelled || narrow);
    const legend = (this.routing.legend.hidden ? 0 : 60) + 34 * (data.gateway?.notes.length || 0);
    let zoom = narrow ? 1 : LARGEST;
    while (!narrow && zoom > SMALLEST) {
      const width = room.width / zoom;
      const least = ends ? GATE_WIDTH : labelled ? 660 : 600;
      if (width >= least && layout(width, ids[0], ids[1], counts, ends).height * zoom <= room.height - legend) break;
      zoom -= 0.05;
    }
    style(this.routing.node, 'zoom', zoom.toFixed(2));
    this.routing.draw(data, Math.floor(room.width / zoom));
  }

  drawTools(data) {
    const looks = [
      { key: 'earlier', text: '←', title: data.label.earlier },
      { key: 'later', text: '→', title: data.label.later, off: data.live },
      { key: 'live', text: data.label.live, on: data.live },
      { key: 'theme', text: '◐', title: data.label.theme },
    ];
    const acts = data.actions.map((a) => ({ key: a.key, text: a.text, hotkey: a.hotkey, off: !a.ok, title: a.ok ? a.command : a.reason }));
    keyed(
      this.tools,
      [...acts, ...looks],
      (t) => t.key,
      (t) => {
        const node = el('button', { type: 'button', 'data-tool': t.key }, el('span'), el('kbd', { 'aria-hidden': 'true' }));
        node.addEventListener('click', () => this.act(t.key));
        node.addEventListener('focus', () => this.wake());
        return node;
      },
      (node, t) => {
        text(node.firstChild, t.text);
        text(node.lastChild, t.hotkey);
        show(node.lastChild, Boolean(t.hotkey));
        attrs(node, { title: t.title, 'aria-label': t.title && t.text.length < 2 ? t.title : null });
        attrs(node, { 'aria-disabled': t.off ? 'true' : null, 'aria-pressed': t.on === undefined ? null : String(t.on) });
      },
    );
  }

  act(name) {
    this.asked.ask(name, {});
  }

  key(event) {
    if (!this.root.isConnected) return this.close();
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const target = event.composedPath()[0];
    if (target?.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target?.tagName)) return;
    if (event.code === 'Space' && target?.tagName === 'BUTTON') return;
    const acting = ACTS[event.code];
    if (acting && (this.data.viewer || event.repeat)) return;
    const name = acting || LOOKS[event.code];
    if (!name) return;
    event.preventDefault();
    this.act(name);
  }

  // The tools stay away from the picture until a hand or a key asks for them.
  wake() {
    attr(this.tools, 'data-awake', true);
    clearTimeout(this.sleep);
    this.sleep = setTimeout(() => attr(this.tools, 'data-awake', null), TOOLS_SHOWN);
  }

  close() {
    clearTimeout(this.sleep);
    document.removeEventListener('keydown', this.onKey);
    document.removeEventListener('pointermove', this.onMove);
    this.resized.disconnect();
  }
}
