// A small menu above a button: arrow keys, Enter, Escape, a click elsewhere closes it.

import { el } from './dom.js';

export class Menu {
  // `choose(action, item)` is called for the entry pressed, `look(item)` for the one in view (null: none).
  constructor(home, choose, look) {
    this.home = home;
    this.choose = choose;
    this.look = look;
    this.node = null;
    this.away = (event) => {
      const path = event.composedPath();
      if (!path.includes(this.node) && !path.includes(this.opener)) this.close();
    };
  }

  toggle(action, opener) {
    if (this.node && this.opener === opener) this.close();
    else this.open(action, opener);
  }

  open(action, opener) {
    this.close();
    this.opener = opener;
    this.node = el('div', { class: 'menu', role: 'menu', 'aria-label': action.text });
    for (const item of action.menu) {
      const entry = el(
        'button',
        { type: 'button', role: 'menuitem', tabindex: '-1', 'data-item': item.key },
        el('b', {}, item.text),
        el('span', {}, item.hint),
      );
      entry.addEventListener('click', () => {
        this.close(true);
        this.choose(action.key, item);
      });
      entry.addEventListener('focus', () => this.look(item));
      entry.addEventListener('pointerenter', () => this.look(item));
      this.node.append(entry);
    }
    this.node.addEventListener('keydown', (event) => this.onKey(event));
    this.home.append(this.node);
    const room = this.home.getBoundingClientRect();
    const at = opener.getBoundingClientRect();
    const left = Math.min(at.left - room.left, room.width - this.node.offsetWidth - 8);
    this.node.style.left = `${Math.max(8, left)}px`;
    this.node.style.bottom = `${room.bottom - at.top + 6}px`;
    opener.setAttribute('aria-expanded', 'true');
    this.node.firstChild?.focus();
    document.addEventListener('pointerdown', this.away, true);
  }

  close(refocus = false) {
    if (!this.node) return;
    document.removeEventListener('pointerdown', this.away, true);
    this.node.remove();
    this.node = null;
    this.look(null);
    this.opener.removeAttribute('aria-expanded');
    if (refocus) this.opener.focus();
  }

  onKey(event) {
    const entries = [...this.node.children];
    const at = entries.indexOf(event.composedPath()[0]);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 };
    if (event.key in moves) {
      entries[(moves[event.key] + entries.length) % entries.length].focus();
    } else if (event.key === 'Escape') {
      this.close(true);
    } else if (event.key === 'Tab') {
      this.close();
      return;
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
