// Pieces of the notes: rendered text, commands with their buttons, questions with what was said and what is.

import { attr, attrs, el, keyed, show, text } from './dom.js';

// Markup made by Python from the lesson's own text; nothing a student types comes here.
export function html(node, markup) {
  if (node.markup !== markup) {
    node.markup = markup;
    node.innerHTML = markup;
    for (const table of node.querySelectorAll('table')) {
      const wide = el('div', { class: 'wide', tabindex: '0' });
      table.before(wide);
      wide.append(table);
    }
    for (const link of node.querySelectorAll('a')) attrs(link, { target: '_blank', rel: 'noreferrer' });
  }
  return node;
}

export function code(part, run) {
  const body = el('code', {}, part.text);
  const copy = el('button', { type: 'button' });
  const go = el('button', { type: 'button', 'data-run': part.place });
  const caption = el('figcaption', {}, el('span'), copy, go);
  const result = el('pre', { class: 'ran', 'aria-live': 'polite', tabindex: '0' });
  const node = el('figure', { class: part.output ? 'output' : 'code' }, caption, el('pre', { tabindex: '0' }, body), result);
  let copied = 0;
  copy.addEventListener('click', async () => {
    await navigator.clipboard?.writeText(part.text).catch(() => {});
    copied = performance.now();
    attr(copy, 'data-copied', true);
  });
  go.addEventListener('click', run);
  const draw = ({ label, busy, buttons }, ran) => {
    const fresh = copied && performance.now() - copied < 2500;
    text(caption.firstChild, part.output ? label.prints : '');
    text(copy, fresh ? label.copied : label.copy);
    attr(copy, 'data-copied', Boolean(fresh));
    show(copy, !part.output);
    text(go, label.run);
    attr(go, 'title', label.run_hint);
    show(go, part.run && buttons);
    go.disabled = Boolean(busy);
    attr(go, 'aria-busy', busy?.what === 'run' && busy.of === part.place ? 'true' : null);
    text(result, ran?.text || '');
    attr(result, 'data-ok', ran ? String(ran.ok) : null);
    show(result, Boolean(ran));
  };
  return { place: part.place, node, draw };
}

export class Question {
  constructor(id, answer) {
    this.id = id;
    this.answer = answer;
    this.picked = null; // what was picked here and did not come back yet
    this.title = el('h3');
    this.ask = el('p', { class: 'ask', id: `ask-${id}` });
    this.input = el('input', { type: 'number', step: 'any', inputmode: 'numeric', 'aria-labelledby': `ask-${id}` });
    this.unit = el('span', { class: 'unit' });
    this.send = el('button', { type: 'submit' });
    this.form = el('form', {}, this.input, this.unit, this.send);
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.input.value !== '') this.pick(Number(this.input.value));
    });
    this.choices = el('div', { class: 'choices', role: 'radiogroup', 'aria-labelledby': `ask-${id}` });
    this.note = el('p', { class: 'note' });
    this.verdict = el('p', { class: 'verdict', 'aria-live': 'polite' });
    this.bars = el('div', { class: 'bars' });
    this.why = el('div', { class: 'text because' });
    this.node = el('div', { class: 'question', 'data-question': id }, this.title, this.ask, this.form, this.choices, this.note, this.verdict, this.bars, this.why);
  }

  pick(value) {
    this.picked = value;
    this.answer(value);
  }

  draw(question, { label, buttons }) {
    if (this.picked !== null && String(question.given) === String(this.picked)) this.picked = null;
    const given = this.picked ?? question.given;
    const numeric = question.choices.length === 0;
    attrs(this.node, { 'data-kind': question.kind, 'data-right': question.right === null ? null : String(question.right) });
    text(this.title, question.title);
    html(this.ask, question.ask);
    const open = question.open && buttons;
    show(this.form, numeric && open);
    show(this.choices, !numeric);
    text(this.unit, question.unit);
    attr(this.input, 'placeholder', label.number);
    const shown = given === null ? '' : String(given);
    if (this.shown !== shown) {
      this.shown = shown;
      if (this.input.getRootNode().activeElement !== this.input || this.input.value === '') this.input.value = shown;
    }
    text(this.send, given === null ? label.answer : label.change);
    keyed(
      this.choices,
      question.choices,
      (choice) => choice.key,
      (choice) => {
        const input = el('input', { type: 'radio', name: `choice-${this.id}` });
        input.addEventListener('change', () => this.pick(choice.key));
        return el('label', {}, input, el('span'));
      },
      (node, choice) => {
        const [input, words] = node.children;
        input.disabled = !open;
        if (input.checked !== (given === choice.key)) input.checked = given === choice.key;
        html(words, choice.text);
      },
    );
    text(this.note, question.note);
    show(this.note, Boolean(question.note));
    text(this.verdict, question.verdict);
    show(this.verdict, Boolean(question.verdict));
    keyed(this.bars, question.bars, (bar) => bar.key, makeBar, drawBar);
    show(this.bars, question.bars.length > 0);
    html(this.why, question.why);
    show(this.why, Boolean(question.why));
  }
}

function makeBar() {
  return el('div', { class: 'bar' }, el('span', { class: 'who' }), el('span', { class: 'drawn', 'aria-hidden': 'true' }), el('b'));
}

// So many Pods, or a share as a bar: what was said above what is, in the same measure.
function drawBar(node, bar) {
  const [who, drawn, value] = node.children;
  attr(node, 'data-bar', bar.key);
  text(who, bar.name);
  html(value, bar.text);
  const pods = bar.part === null ? Array.from({ length: bar.dots }, (_, i) => i) : [];
  keyed(drawn, bar.part === null ? pods : ['part'], (i) => i, (i) => el(i === 'part' ? 's' : 'i'), (mark) => {
    if (bar.part !== null) mark.style.width = `${Math.round(100 * bar.part)}%`;
  });
  attr(drawn, 'data-part', bar.part !== null);
}
