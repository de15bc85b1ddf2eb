// The live picture of a lab: one drawing that is kept, and new data for it on every refresh.
// Python owns the data and every word; this side owns where things stand and how they move.

import { Asked } from './asked.js';
import { Bar } from './bar.js';
import { LanesChart, PodsChart } from './charts.js';
import { attr, el, theme } from './dom.js';
import { Feed } from './feed.js';
import { Routing } from './routing.js';
import { Status } from './status.js';
import { Strip } from './strip.js';
import { TimeBar } from './time.js';
import { Typing } from './typing.js';

// What uses the space bar or the arrow keys itself.
const MOVED = '[role=radiogroup], [role=tablist], [role=listbox], [role=menu], [role=slider], [contenteditable]';
const PRESSED = `${MOVED}, button, a, summary, label, [role=button]`;

export default function mount(component) {
  const root = component.parentElement.querySelector('#live');
  const live = (root.live ||= new Live(root, component.data));
  live.refresh(component);
  return () => {
    if (!root.isConnected) live.close();
  };
}

class Live {
  constructor(root, data) {
    this.root = root;
    this.tick = -1;
    this.asked = new Asked(data);
    const labels = data.label;
    const send = (name, args) => this.asked.ask(name, args || {});
    this.strip = new Strip(labels);
    this.routing = new Routing(labels);
    this.pods = new PodsChart(labels);
    this.lanes = new LanesChart(labels);
    this.feed = new Feed(labels);
    this.time = new TimeBar(labels, (...where) => this.setState('look', where));
    this.status = new Status((open) => this.setState('open', open ? ['status'] : []));
    this.pods.onPick = (t) => this.time.go(t, true);
    this.lanes.onPick = (t) => this.time.go(t, true);
    this.bar = new Bar(labels, send);
    this.said = el('p', { class: 'sr', 'aria-live': 'polite' });
    this.body = el(
      'div',
      { class: 'body' },
      this.strip.node,
      this.routing.node,
      el('div', { class: 'pair' }, this.pods.node, this.lanes.node),
      this.time.node,
      el('div', { class: 'pair' }, this.feed.whyNode, this.feed.answersNode),
      this.status.node,
    );
    root.replaceChildren(this.body, this.said, this.bar.node);
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.body);
    this.resized.observe(this.bar.node);
    this.typing = new Typing();
    this.onKey = (event) => this.key(event);
    document.addEventListener('keydown', this.onKey);
  }

  refresh(component) {
    const { data, setStateValue } = component;
    this.setState = setStateValue;
    if (this.asked.heard(component)) {
      this.tick = -1;
      this.time.begin();
      if (this.status.node.open) setStateValue('open', ['status']);
    }
    attr(this.root, 'data-theme', theme(this.root));
    if (data.tick < this.tick) return; // an older answer that came late
    this.tick = data.tick;
    this.data = { ...data, acked: this.asked.settled };
    this.draw();
  }

  draw() {
    const { data } = this;
    if (!data) return;
    attr(this.root, 'lang', data.lang);
    attr(document.documentElement, 'lang', data.lang);
    const inside = (card) => Math.max(240, Math.floor(card.clientWidth - 28));
    attr(this.root, 'data-past', Boolean(data.past));
    attr(this.root.getRootNode().host || this.root, 'data-drawn', true);
    this.strip.draw(data);
    this.routing.draw(data, inside(this.routing.node));
    this.pods.draw(data, inside(this.pods.node));
    this.lanes.draw(data, inside(this.lanes.node));
    this.time.draw(data);
    this.feed.draw(data);
    this.status.draw(data);
    this.bar.draw(data);
    if (this.said.textContent !== data.spoken) this.said.textContent = data.spoken;
  }

  key(event) {
    if (!this.root.isConnected) return this.close();
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const target = event.composedPath()[0];
    const typing = ['INPUT', 'TEXTAREA', 'SELECT'].includes(target?.tagName) && target.type !== 'range';
    if (target?.isContentEditable || typing) return;
    const letter = event.code?.startsWith('Key') ? event.code.slice(3) : '';
    if (letter && !event.shiftKey && this.bar.key(letter)) event.preventDefault();
    else if (!event.shiftKey && !target?.closest?.(event.code === 'Space' ? PRESSED : MOVED) && this.time.key(event))
      event.preventDefault();
  }

  close() {
    document.removeEventListener('keydown', this.onKey);
    this.typing.close();
    this.resized.disconnect();
  }
}
