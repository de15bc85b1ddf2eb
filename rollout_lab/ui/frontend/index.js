// The live picture of a lab: one drawing that is kept, and new data for it on every refresh.
// Python owns the data and every word; this side owns where things stand and how they move.
// Actions go back as a numbered queue, because single triggers lose values in bursts.

import { Bar } from './bar.js';
import { LanesChart, PodsChart } from './charts.js';
import { attr, el } from './dom.js';
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
    this.seq = data.ack;
    this.queue = [];
    this.session = data.session;
    const labels = data.label;
    const send = (name, args) => this.act(name, args);
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

  refresh({ data, setStateValue }) {
    this.setState = setStateValue;
    this.queue = this.queue.filter((entry) => entry[0] > data.ack);
    if (data.session !== this.session) {
      this.session = data.session; // a new session of the server: numbers start again
      this.queue = [];
      this.seq = data.ack;
      this.tick = -1;
      this.time.begin();
      if (this.status.node.open) setStateValue('open', ['status']);
    }
    this.seq = Math.max(this.seq, data.ack);
    this.theme();
    if (data.tick < this.tick) return; // an older answer that came late
    this.tick = data.tick;
    this.data = { ...data, acked: this.queue.length === 0 };
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

  act(name, args) {
    this.seq += 1;
    this.queue.push([this.seq, name, args || {}]);
    this.setState('queue', this.queue.slice());
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

  // The page's theme: dark when its background is.
  theme() {
    const colour = getComputedStyle(this.root).getPropertyValue('--st-background-color').trim();
    const [r, g, b] = (colour.match(/[\da-f]{2}/gi) || ['ff', 'ff', 'ff']).map((part) => parseInt(part, 16));
    attr(this.root, 'data-theme', 0.299 * r + 0.587 * g + 0.114 * b < 128 ? 'dark' : 'light');
  }

  close() {
    document.removeEventListener('keydown', this.onKey);
    this.typing.close();
    this.resized.disconnect();
  }
}
