// A button that turns the page dark or light. Streamlit keeps the choice of each address in the browser's
// storage and reads it when the page is loaded, so all pages get it and this one is loaded again: all else
// that is to be kept stands in the URL.

import { attr, attrs, el, text, theme } from './dom.js';

const VERSION = 2; // of Streamlit's own key

export default function mount({ parentElement, data }) {
  const root = parentElement.querySelector('#theme');
  if (!root.firstChild) {
    const button = el('button', { type: 'button' });
    button.addEventListener('click', () => turn(root));
    root.append(button);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const later of [0, 100, 300, 1000]) setTimeout(() => tell(root), later); // Streamlit takes a moment
    });
  }
  root.paths = data.paths;
  root.labels = data.label;
  attr(root, 'lang', data.lang);
  tell(root);
}

function tell(root) {
  const now = theme(root);
  attr(document.documentElement, 'data-shade', now); // for the styles of the page around
  const label = root.labels[now === 'dark' ? 'light' : 'dark'];
  text(root.firstChild, '◐');
  attrs(root.firstChild, { 'aria-label': label, title: label, 'data-shade': now });
}

function turn(root) {
  const wanted = theme(root) === 'dark' ? 'Light' : 'Dark';
  const base = location.pathname.replace(/[^/]*$/, '');
  for (const path of root.paths) localStorage.setItem(`stActiveTheme-${base}${path}-v${VERSION}`, JSON.stringify(wanted));
  location.reload();
}
