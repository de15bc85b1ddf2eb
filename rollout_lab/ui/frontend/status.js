// The Rollout's status as YAML behind a fold; lines that changed since the last look are marked.
// Python sends it only while the fold is open.

import { attr, el, keyed, show, text } from './dom.js';

export class Status {
  // `ask(open)` tells Python whether the status is wanted.
  constructor(ask) {
    this.title = el('h2');
    this.hint = el('span', { class: 'hint' });
    this.lines = el('pre', { class: 'yaml', tabindex: '0' });
    this.node = el('details', { class: 'card status' }, el('summary', {}, this.title, this.hint), this.lines);
    this.node.addEventListener('toggle', () => ask(this.node.open));
  }

  draw(data) {
    text(this.title, data.label.status);
    text(this.hint, data.label.status_hint);
    attr(this.lines, 'aria-label', data.label.status);
    if (data.status === null || data.status === undefined) return;
    const said = data.status || `# ${data.label.status_empty}`;
    const first = this.before === undefined;
    const before = new Set(this.before);
    const lines = said.replace(/\n$/, '').split('\n');
    keyed(
      this.lines,
      lines.map((line, i) => ({ line, i })),
      (l) => l.i,
      () => el('span', { class: 'row' }),
      (node, { line }) => {
        if (node.textContent === `${line}\n`) return;
        node.textContent = `${line}\n`;
        const fresh = !first && !before.has(line);
        attr(node, 'data-fresh', fresh);
        if (fresh) node.getAnimations().forEach((motion) => motion.cancel());
      },
    );
    this.before = lines;
    show(this.lines, true);
  }
}
