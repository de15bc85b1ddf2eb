// What happened and why, and the last answers of the curl loop. Newest first, in boxes of fixed height.

import { attrs, clock, el, keyed, show, text } from './dom.js';

export class Feed {
  constructor(labels) {
    this.why = el('ol', { class: 'lines', tabindex: '0', 'aria-label': labels.why });
    this.answers = el('ol', { class: 'answers', tabindex: '0', 'aria-label': labels.answers });
    this.whyTitle = el('h2');
    this.whyHint = el('span', { class: 'hint' });
    this.whyEmpty = el('p', { class: 'empty' });
    this.answersTitle = el('h2');
    this.answersHint = el('span', { class: 'hint' });
    this.answersEmpty = el('p', { class: 'empty' });
    this.whyNode = el('section', { class: 'card why' }, el('header', {}, this.whyTitle, this.whyHint), this.whyEmpty, this.why);
    this.answersNode = el(
      'section',
      { class: 'card curl' },
      el('header', {}, this.answersTitle, this.answersHint),
      this.answersEmpty,
      this.answers,
    );
  }

  draw(data) {
    text(this.whyTitle, data.label.why);
    text(this.whyEmpty, data.label.why_empty);
    show(this.whyEmpty, data.why.length === 0);
    keyed(
      this.why,
      data.why,
      (line) => line.key,
      () =>
        el(
          'li',
          {},
          el('time'),
          el('details', {}, el('summary'), el('dl')),
        ),
      (node, line) => {
        text(node.firstChild, clock(line.t));
        const [said, grounds] = node.lastChild.children;
        text(said, line.text);
        drawGrounds(grounds, line, data.label);
      },
    );
    text(this.whyHint, data.why.length ? data.label.why_hint : '');
    text(this.answersTitle, data.label.answers);
    text(this.answersHint, data.label.answers_hint);
    text(this.answersEmpty, data.label.answers_empty);
    show(this.answersEmpty, data.answers.length === 0);
    keyed(
      this.answers,
      data.answers,
      (a) => a.key,
      () => el('li', {}, el('time'), el('span', { class: 'port' }), el('code')),
      (node, a) => {
        attrs(node, { 'data-ok': a.ok });
        text(node.children[0], clock(a.t));
        text(node.children[1], a.port);
        attrs(node.children[2], { 'data-ink': a.colour });
        text(node.children[2], a.text);
      },
    );
  }
}

// Object, field and formula of a reason; what there is none of takes no room.
function drawGrounds(list, line, label) {
  const found = [
    ['object', label.why_object, line.object],
    ['field', label.why_field, line.field],
    ['formula', label.why_formula, line.formula],
  ].filter(([, , value]) => value);
  keyed(
    list,
    found,
    ([key]) => key,
    ([key]) => el('div', { 'data-ground': key }, el('dt'), el('dd')),
    (node, [, name, value]) => {
      text(node.firstChild, name);
      text(node.lastChild, value);
    },
  );
}
