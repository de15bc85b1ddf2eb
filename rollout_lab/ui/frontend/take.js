// Saves the routing picture as it stands, as SVG or PNG. Boxes are HTML on the page, so each is drawn again
// as plain shapes and text: the file opens in any program, and nothing of the page is needed for it.

import { attrs, el, keyed, svg, text } from './dom.js';

const COPIED = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'opacity', 'paint-order', 'text-anchor'];
const MARGIN = 16;
const SCALE = 2;

export default function mount({ parentElement, data }) {
  const root = parentElement.querySelector('#take');
  root.data = data;
  attrs(root, { lang: data.lang });
  keyed(root, ['svg', 'png'], (kind) => kind, (kind) => {
    const button = el('button', { type: 'button', 'data-take': kind });
    button.addEventListener('click', () => save(root, kind));
    return button;
  }, (button, kind) => text(button, data.label[kind]));
}

async function save(root, kind) {
  const stage = find(document);
  if (!stage) return;
  const { source, width, height } = drawn(stage);
  const name = `${root.data.name}.${kind}`;
  if (kind === 'svg') return offer(new Blob([source], { type: 'image/svg+xml' }), name);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  const canvas = el('canvas', { width: width * SCALE, height: height * SCALE });
  const context = canvas.getContext('2d');
  context.scale(SCALE, SCALE);
  context.drawImage(image, 0, 0, width, height);
  canvas.toBlob((blob) => offer(blob, name), 'image/png');
  return undefined;
}

function find(node) {
  const here = node.querySelector('#live .stage');
  if (here) return here;
  for (const child of node.querySelectorAll('*')) {
    const found = child.shadowRoot && find(child.shadowRoot);
    if (found) return found;
  }
  return null;
}

function offer(blob, name) {
  const link = el('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// The picture as SVG text with every style written out.
export function drawn(stage) {
  const home = stage.getBoundingClientRect();
  const width = Math.ceil(home.width + 2 * MARGIN);
  const height = Math.ceil(home.height + 2 * MARGIN);
  const ground = getComputedStyle(stage.closest('.card')).backgroundColor;
  const picture = svg('svg', { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `${-MARGIN} ${-MARGIN} ${width} ${height}` });
  picture.append(svg('rect', { x: -MARGIN, y: -MARGIN, width, height, fill: ground }));
  for (const group of stage.querySelector('.layer').children) picture.append(copied(group));
  for (const box of stage.querySelectorAll('.box:not(.gone)')) picture.append(boxed(box, home));
  return { source: new XMLSerializer().serializeToString(picture), width, height };
}

function copied(node) {
  const style = getComputedStyle(node);
  const made = svg(node.tagName);
  for (const { name, value } of node.attributes) if (!/^(class|style|data-|aria-)/.test(name)) made.setAttribute(name, value);
  for (const name of COPIED) if (style.getPropertyValue(name)) made.setAttribute(name, style.getPropertyValue(name));
  if (style.transform !== 'none') made.setAttribute('transform', style.transform);
  if (node.tagName === 'text') lettered(made, style);
  if (!node.children.length) made.textContent = node.textContent;
  for (const child of node.children) if (!child.classList.contains('gone')) made.append(copied(child));
  return made;
}

function boxed(box, home) {
  const style = getComputedStyle(box);
  const at = box.getBoundingClientRect();
  const line = parseFloat(style.borderTopWidth) || 0;
  const group = svg('g', {});
  const dash = style.borderTopStyle === 'dashed' ? '5 4' : null;
  group.append(
    svg('rect', {
      x: at.left - home.left + line / 2, y: at.top - home.top + line / 2, width: at.width - line, height: at.height - line,
      rx: parseFloat(style.borderTopLeftRadius) || 0, fill: style.backgroundColor, stroke: style.borderTopColor,
      'stroke-width': line, 'stroke-dasharray': dash,
    }),
  );
  for (const part of box.querySelectorAll('*')) {
    if (part.children.length || !part.textContent.trim() || !part.getClientRects().length) continue;
    const seen = getComputedStyle(part);
    const where = part.getBoundingClientRect();
    const label = svg('text', { x: where.left - home.left, y: where.top - home.top + where.height / 2, fill: seen.color, 'dominant-baseline': 'central' });
    lettered(label, seen);
    label.textContent = part.textContent;
    group.append(label);
  }
  return group;
}

function lettered(node, style) {
  attrs(node, { 'font-family': style.fontFamily, 'font-size': style.fontSize, 'font-weight': style.fontWeight });
}
