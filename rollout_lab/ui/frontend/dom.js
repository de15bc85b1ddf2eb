// Small helpers over the DOM. A node lives as long as the thing it shows: `keyed` keeps nodes by key,
// and nothing is written that is already there, so that nothing moves that did not change.

const SVG = 'http://www.w3.org/2000/svg';

export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) attr(node, name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function attr(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else {
    const text = value === true ? '' : String(value);
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
}

export function attrs(node, values) {
  for (const [name, value] of Object.entries(values)) attr(node, name, value);
}

export function text(node, value) {
  const wanted = value === null || value === undefined ? '' : String(value);
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function style(node, name, value) {
  if (node.style.getPropertyValue(name) !== value) node.style.setProperty(name, value);
}

export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

// The children of `parent` are those of `items`, in their order, one node per `key(item)`.
// `make(item)` makes a node, `update(node, item)` writes what changed. A node that goes is marked
// `gone` and removed after `linger` ms, so that it can fade; the others do not wait for it.
export function keyed(parent, items, key, make, update, linger = 0) {
  const known = (parent.keyedNodes ||= new Map());
  const wanted = new Set();
  let before = null;
  for (const item of items) {
    const id = String(key(item));
    wanted.add(id);
    let node = known.get(id);
    if (!node) {
      node = make(item);
      known.set(id, node);
      parent.insertBefore(node, before ? nextAlive(before) : firstAlive(parent));
    } else if (previousAlive(node) !== before) {
      parent.insertBefore(node, before ? before.nextSibling : parent.firstChild);
    }
    update(node, item);
    before = node;
  }
  for (const [id, node] of known) {
    if (wanted.has(id)) continue;
    known.delete(id);
    if (linger) {
      node.classList.add('gone');
      node.setAttribute('aria-hidden', 'true');
      setTimeout(() => node.remove(), linger);
    } else {
      node.remove();
    }
  }
  return known;
}

const alive = (node) => !node || !node.classList.contains('gone');

function firstAlive(parent) {
  return parent.firstChild;
}

function nextAlive(node) {
  return node.nextSibling;
}

function previousAlive(node) {
  let previous = node.previousSibling;
  while (!alive(previous)) previous = previous.previousSibling;
  return previous;
}

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, '0');
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

// The page's theme where `node` stands: dark when its background is.
export function theme(node) {
  const colour = getComputedStyle(node).getPropertyValue('--st-background-color').trim();
  const [r, g, b] = (colour.match(/[\da-f]{2}/gi) || ['ff', 'ff', 'ff']).map((part) => parseInt(part, 16));
  return 0.299 * r + 0.587 * g + 0.114 * b < 128 ? 'dark' : 'light';
}
