// The live picture of plain Deployments: the parts of the lab page's picture that need no Rollout.

import { LanesChart, PodsChart } from './charts.js';
import { attr, el, show, text, theme } from './dom.js';
import { Feed } from './feed.js';
import { Routing } from './routing.js';

export default function mount({ parentElement, data }) {
  const root = parentElement.querySelector('#live');
  const live = (root.live ||= new Plain(root, data.label));
  if (data.tick < live.tick) return; // an older answer that came late
  live.tick = data.tick;
  live.data = data;
  live.draw();
}

class Plain {
  constructor(root, labels) {
    this.root = root;
    this.tick = -1;
    this.name = el('h2');
    this.kind = el('span', { class: 'hint' });
    this.empty = el('p', { class: 'message' });
    const head = el('section', { class: 'card strip', 'aria-label': labels.strip }, el('header', {}, this.name, this.kind), this.empty);
    this.routing = new Routing(labels);
    this.pods = new PodsChart(labels);
    this.lanes = new LanesChart(labels);
    this.feed = new Feed(labels);
    const pair = el('div', { class: 'pair' }, this.pods.node, this.lanes.node);
    this.body = el('div', { class: 'body' }, head, this.routing.node, pair, this.feed.answersNode);
    root.replaceChildren(this.body);
    new ResizeObserver(() => this.draw()).observe(this.body);
  }

  draw() {
    const { data, root } = this;
    if (!data) return;
    attr(root, 'data-theme', theme(root));
    attr(root, 'lang', data.lang);
    attr(document.documentElement, 'lang', data.lang);
    attr(root.getRootNode().host || root, 'data-drawn', true);
    const inside = (card) => Math.max(240, Math.floor(card.clientWidth - 28));
    text(this.name, data.head.name);
    text(this.kind, data.head.kind);
    text(this.empty, data.head.empty);
    show(this.empty, Boolean(data.head.empty));
    this.routing.draw(data, inside(this.routing.node));
    this.pods.draw(data, inside(this.pods.node));
    this.lanes.draw(data, inside(this.lanes.node));
    this.feed.draw(data);
  }
}
