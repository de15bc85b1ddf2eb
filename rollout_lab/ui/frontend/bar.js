// The bar at the foot: what a person can do now, the command that does the same, and why something is off.
// A button that would do nothing stays reachable (aria-disabled) so that its reason can be read.

import { attr, attrs, el, keyed, show, text } from './dom.js';
import { Menu } from './menu.js';

const PENDING = 4000;
const KINDS = ['plugin', 'kubectl'];
const KEPT = 'rollout-lab.command';

function preferred() {
  try {
    const kept = localStorage.getItem(KEPT);
    return KINDS.includes(kept) ? kept : KINDS[0];
  } catch {
    return KINDS[0];
  }
}

export class Bar {
  // `send(name, args)` hands an action to Python.
  constructor(labels, send) {
    this.send = send;
    this.focus = null; // the action whose command the bar shows
    this.asked = null; // an action pressed while off: its reason is shown
    this.pending = new Map(); // action -> time of the press, until the picture shows it was heard
    this.buttons = el('div', { class: 'buttons', role: 'group', 'aria-label': labels.actions });
    this.reason = el('p', { class: 'reason', id: 'why-off', role: 'status' });
    this.command = el('code', { tabindex: '0', 'aria-label': labels.command });
    this.copy = el('button', { class: 'small', type: 'button' });
    this.kinds = el('div', { class: 'kinds', role: 'group', 'aria-label': labels.command });
    for (const kind of KINDS) {
      const choice = el('button', { class: 'small', type: 'button', 'data-kind': kind }, labels[kind]);
      choice.addEventListener('click', () => this.prefer(kind));
      this.kinds.append(choice);
    }
    this.kind = preferred();
    this.copied = 0;
    this.line = el('div', { class: 'command' }, el('span', { 'aria-hidden': 'true' }, '$'), this.command, this.copy);
    this.notice = el('div', { class: 'notice', role: 'alert' });
    const side = el('div', { class: 'side' }, el('div', { class: 'said' }, this.kinds, this.reason), this.line);
    this.node = el('footer', { class: 'bar' }, this.notice, el('div', { class: 'row' }, this.buttons, side));
    this.copy.addEventListener('click', () => this.copyCommand());
    this.item = null; // the menu entry in view: its command is shown
    const choose = (action, item) => this.press(action, item.args);
    this.menu = new Menu(this.node, choose, (item) => {
      this.item = item;
      this.drawFoot();
    });
  }

  draw(data) {
    this.data = data;
    for (const [key, at] of this.pending) {
      if (!data.acked && performance.now() - at < PENDING) continue;
      this.pending.delete(key);
      this.focus = null; // what was pressed is done: show the next sensible thing
    }
    keyed(
      this.buttons,
      data.actions,
      (a) => a.key,
      (a) => this.makeButton(a.key),
      (node, a) => this.drawButton(node, a),
    );
    this.drawNotice(data.notice);
    this.drawFoot();
  }

  makeButton(key) {
    const node = el('button', { type: 'button', 'data-action': key }, el('span', { class: 'label' }), el('kbd', { 'aria-hidden': 'true' }));
    node.addEventListener('click', () => this.click(key, node));
    const look = () => {
      this.focus = key;
      this.drawFoot();
    };
    node.addEventListener('pointerenter', look);
    node.addEventListener('focus', look);
    return node;
  }

  drawButton(node, a) {
    text(node.children[0], a.menu ? `${a.text} ▾` : a.text);
    text(node.children[1], a.hotkey || '');
    show(node.children[1], Boolean(a.hotkey));
    attrs(node, {
      'aria-disabled': a.ok ? null : 'true',
      'aria-keyshortcuts': a.hotkey,
      'aria-haspopup': a.menu ? 'menu' : null,
      'aria-busy': this.pending.has(a.key) ? 'true' : null,
      'data-main': a.main,
      title: a.ok ? a.command : a.reason,
      'aria-description': a.ok ? null : a.reason,
    });
  }

  click(key, node) {
    const action = this.action(key);
    if (!action) return;
    if (!action.ok) {
      this.focus = key;
      this.asked = key;
      this.drawFoot();
    } else if (action.menu) {
      this.menu.toggle(action, node);
    } else {
      this.press(key, {});
    }
  }

  press(key, args) {
    const action = this.action(key);
    if (!action || !action.ok || this.pending.has(key)) return;
    this.asked = null;
    this.pending.set(key, performance.now());
    this.drawButton(this.buttons.keyedNodes.get(key), action);
    this.send(key, args);
  }

  // A key of the keyboard; whether it was one of ours.
  key(letter) {
    const action = (this.data?.actions || []).find((a) => a.hotkey === letter);
    if (!action) return false;
    this.focus = action.key;
    if (action.ok) this.press(action.key, {});
    else this.asked = action.key;
    this.drawFoot();
    return true;
  }

  action(key) {
    return (this.data?.actions || []).find((a) => a.key === key);
  }

  drawFoot() {
    const { actions, label } = this.data;
    const shown = this.action(this.focus) || actions.find((a) => a.main) || actions.find((a) => a.ok) || actions[0];
    if (!shown) return;
    const off = this.action(this.asked) || (shown.ok ? actions.find((a) => !a.ok) : shown);
    text(this.reason, off && !off.ok ? off.reason : '');
    const told = this.item || shown;
    const command = (this.kind === 'kubectl' && told.kubectl) || told.command;
    text(this.command, command);
    attr(this.command, 'title', command);
    for (const choice of this.kinds.children) attr(choice, 'aria-pressed', String(choice.dataset.kind === this.kind));
    text(this.copy, performance.now() < this.copied ? label.copied : label.copy);
    show(this.line, Boolean(command));
  }

  // The plugin's command, or what it does with kubectl alone; kept for the next visit.
  prefer(kind) {
    this.kind = kind;
    try {
      localStorage.setItem(KEPT, kind);
    } catch {
      // a browser that keeps nothing: the choice lasts as long as the page
    }
    this.drawFoot();
  }

  async copyCommand() {
    const said = this.command.textContent;
    try {
      await navigator.clipboard.writeText(said);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(this.command);
      const chosen = window.getSelection();
      chosen.removeAllRanges();
      chosen.addRange(range);
      return;
    }
    this.copied = performance.now() + 1800;
    this.drawFoot();
    setTimeout(() => this.drawFoot(), 1900);
  }

  drawNotice(notice) {
    const shown = notice && notice.id !== this.closed ? [notice] : [];
    keyed(
      this.notice,
      shown,
      (n) => n.id,
      (n) => {
        const close = el('button', { class: 'small', type: 'button', 'aria-label': n.close }, '✕');
        close.addEventListener('click', () => {
          this.closed = n.id;
          this.drawNotice(null);
        });
        return el('div', { class: 'says' }, el('b'), el('code'), el('p'), close);
      },
      (node, n) => {
        attr(node, 'data-tone', n.tone);
        text(node.children[0], n.text);
        text(node.children[1], n.field);
        show(node.children[1], Boolean(n.field));
        text(node.children[2], n.remedy);
        show(node.children[2], Boolean(n.remedy));
      },
    );
  }
}
