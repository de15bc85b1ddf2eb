// The notes of a lesson beside the picture: its text, tasks that turn green by themselves, questions.
// Python owns every word and every state; this side keeps the nodes, so that a refresh moves nothing
// and nothing that was typed is lost.

import { Asked } from './asked.js';
import { attr, attrs, el, keyed, show, text, theme } from './dom.js';
import { code, html, Question } from './tasks_parts.js';

export default function mount(component) {
  const root = component.parentElement.querySelector('#notes');
  (root.notes ||= new Notes(root, component.data)).refresh(component);
}

class Notes {
  constructor(root, data) {
    this.root = root;
    this.asked = new Asked(data);
    this.key = '';
    this.tasks = new Map();
    this.questions = new Map();
    this.states = new Map();
    this.steps = el('div', { class: 'steps', role: 'group' });
    this.count = el('span', { class: 'count' });
    this.here = el('button', { class: 'here', type: 'button' });
    this.here.addEventListener('click', () => this.go(this.data.current));
    this.rail = el('div', { class: 'rail' }, this.steps, el('div', { class: 'where' }, this.count, this.here));
    this.said = el('div', { class: 'said' }, el('p', { role: 'alert' }), el('button', { type: 'button' }));
    this.said.lastChild.addEventListener('click', () => this.ask('calm'));
    this.intro = el('div', { class: 'text intro' });
    this.body = el('div', { class: 'sections' });
    this.over = el('p', { class: 'over' });
    this.onward = el('button', { class: 'main', type: 'button' });
    this.onward.addEventListener('click', () => this.ask('next-lesson'));
    this.reset = new Again((of) => this.ask('reset', { of }), '');
    this.foot = el('div', { class: 'foot' }, this.over, el('div', { class: 'acts' }, this.onward, this.reset.button), this.reset.sure);
    this.spoken = el('p', { class: 'sr', 'aria-live': 'polite' });
    root.replaceChildren(this.rail, this.said, this.intro, this.body, this.foot, this.spoken);
  }

  refresh(component) {
    const { data, setStateValue } = component;
    this.asked.heard(component);
    this.data = data;
    if (data.text && data.key !== this.key) this.build(data.text);
    if (this.told !== `${data.session} ${this.key}`) {
      this.told = `${data.session} ${this.key}`;
      setStateValue('have', this.key); // the text need not come again, or must
    }
    this.draw(data);
  }

  ask(what, args) {
    this.asked.ask(what, args || {});
  }

  // -- the text, built once ------------------------------------------------------------------

  build(lesson) {
    this.key = lesson.key;
    this.tasks.clear();
    this.questions.clear();
    this.codes = [];
    html(this.intro, lesson.intro);
    this.body.replaceChildren(...lesson.sections.map((section) => this.section(section)));
  }

  section(section) {
    const title = el('h2');
    html(title, section.title);
    const parts = section.parts.map((part) => {
      if (part.kind === 'text') return html(el('div', { class: 'text' }), part.html);
      if (part.kind === 'task') return this.keep(this.tasks, part.id, new Task(part.id, (what, args) => this.ask(what, args)));
      if (part.kind === 'question')
        return this.keep(this.questions, part.id, new Question(part.id, (answer) => this.ask('give', { of: part.id, answer })));
      const found = code(part, () => this.ask('run', { of: part.place }));
      this.codes.push(found);
      return found.node;
    });
    return el('section', {}, title, ...parts);
  }

  keep(map, id, found) {
    map.set(id, found);
    return found.node;
  }

  // -- the state, at every refresh --------------------------------------------------------------

  draw(data) {
    const { label } = data;
    attr(this.root, 'lang', data.lang);
    attr(this.root, 'data-theme', theme(this.root));
    attr(this.root, 'data-ready', data.tasks.length > 0);
    attr(this.steps, 'aria-label', label.way);
    keyed(
      this.steps,
      data.tasks,
      (task) => task.id,
      (task) => {
        const button = el('button', { type: 'button' }, el('i', { 'aria-hidden': 'true' }));
        button.addEventListener('click', () => this.go(task.id));
        return button;
      },
      (button, task) => {
        const name = `${task.name}: ${task.word}`;
        attrs(button, { 'data-state': task.state, 'aria-label': name, title: name, 'aria-current': task.id === data.current ? 'step' : null });
        text(button.firstChild, marks[task.state] || task.number);
      },
    );
    text(this.count, data.busy ? data.busy.text : data.progress);
    attr(this.count, 'data-busy', Boolean(data.busy));
    text(this.here, label.here);
    show(this.here, Boolean(data.current));
    text(this.said.firstChild, data.trouble);
    text(this.said.lastChild, label.close);
    show(this.said, Boolean(data.trouble));
    for (const task of data.tasks) this.tasks.get(task.id)?.draw(task, data);
    for (const question of data.questions) this.questions.get(question.id)?.draw(question, data);
    const ran = new Map(data.ran.map((found) => [found.place, found]));
    for (const found of this.codes || []) found.draw(data, ran.get(found.place));
    text(this.over, data.finished ? data.progress : '');
    show(this.over, data.finished);
    text(this.onward, data.next?.text || '');
    show(this.onward, Boolean(data.next));
    attr(this.onward, 'data-main', data.finished);
    this.reset.draw(label.reset, label.sure_all, data);
    this.tell(data.tasks);
  }

  // Says what became green or broke, for those who do not see it.
  tell(tasks) {
    const news = tasks.filter((task) => this.states.has(task.id) && this.states.get(task.id) !== task.state && task.spoken);
    for (const task of tasks) {
      if (news.includes(task)) this.tasks.get(task.id)?.flash();
      this.states.set(task.id, task.state);
    }
    if (news.length) this.spoken.textContent = news.map((task) => `${task.spoken} ${plain(task.said)}`).join(' ');
  }

  go(id) {
    const found = this.tasks.get(id);
    if (!found) return;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const behavior = calm ? 'auto' : 'smooth';
    const box = scrolling(found.node);
    const top = found.node.getBoundingClientRect().top - box.getBoundingClientRect().top - this.rail.offsetHeight - 16;
    box.scrollBy({ top, behavior });
    found.node.focus({ preventScroll: true });
  }
}

// The nearest ancestor that scrolls, also beyond the shadow root: the notes have a bar of their own.
function scrolling(node) {
  let at = node.parentNode;
  while (at) {
    if (at instanceof Element && /auto|scroll/.test(getComputedStyle(at).overflowY) && at.scrollHeight > at.clientHeight) return at;
    at = at instanceof ShadowRoot ? at.host : at.parentNode;
  }
  return document.scrollingElement;
}

const marks = { passed: '✓', broken: '!', skipped: '–' };

function plain(markup) {
  const node = document.createElement('p');
  node.innerHTML = markup;
  return node.textContent;
}

// A button that begins anew, and asks before it does.
class Again {
  constructor(ask, of) {
    this.button = el('button', { type: 'button', class: 'quiet', 'aria-expanded': 'false' });
    this.why = el('p');
    this.yes = el('button', { type: 'button', class: 'main' });
    this.no = el('button', { type: 'button' });
    this.sure = el('div', { class: 'sure', role: 'group' }, this.why, el('div', { class: 'acts' }, this.yes, this.no));
    this.open(false);
    this.button.addEventListener('click', () => {
      this.open(this.sure.hidden);
      if (!this.sure.hidden) this.yes.focus();
    });
    this.no.addEventListener('click', () => this.shut());
    this.sure.addEventListener('keydown', (event) => event.key === 'Escape' && this.shut());
    this.yes.addEventListener('click', () => {
      this.shut();
      ask(of);
    });
  }

  open(is) {
    show(this.sure, is);
    attr(this.button, 'aria-expanded', String(is));
  }

  shut() {
    this.open(false);
    this.button.focus();
  }

  draw(name, why, data) {
    text(this.button, name);
    text(this.why, why);
    text(this.yes, data.label.yes);
    text(this.no, data.label.no);
    show(this.button, data.buttons);
    this.button.disabled = this.yes.disabled = Boolean(data.busy);
    if (data.busy || !data.buttons) this.open(false);
  }
}

class Task {
  constructor(id, ask) {
    const button = (what) => {
      const found = el('button', { type: 'button', 'data-ask': what });
      found.addEventListener('click', () => ask(what, { of: id }));
      return found;
    };
    this.mark = el('i', { class: 'mark', 'aria-hidden': 'true' });
    this.name = el('h3');
    this.word = el('span', { class: 'word' });
    this.when = el('span', { class: 'when' });
    this.todo = el('p', { class: 'do' });
    this.why = el('p', { class: 'why' });
    this.hints = el('ol', { class: 'hints' });
    this.hint = button('hint');
    this.solve = button('solve');
    this.skip = button('skip');
    this.again = new Again((of) => ask('reset', { of }), id);
    const acts = el('div', { class: 'acts' }, this.hint, this.solve, this.skip, this.again.button);
    const head = el('header', {}, this.mark, this.name, this.word, this.when);
    this.node = el('div', { class: 'task', 'data-task': id, tabindex: '-1', role: 'group' }, head, this.todo, this.why, this.hints, acts, this.again.sure);
  }

  draw(task, { label, busy, buttons, current }) {
    attrs(this.node, { 'data-state': task.state, 'aria-label': task.name, 'data-current': task.id === current });
    text(this.mark, marks[task.state] || task.number);
    text(this.name, task.name);
    text(this.word, task.word);
    text(this.when, task.when);
    html(this.todo, task.do);
    html(this.why, task.said);
    show(this.why, Boolean(task.said));
    keyed(this.hints, task.hints, (hint) => hint, () => el('li'), (node, hint) => html(node, hint));
    show(this.hints, task.hints.length > 0);
    text(this.hint, task.hint);
    text(this.solve, label.solve);
    text(this.skip, label.skip);
    show(this.hint, buttons && task.open && Boolean(task.hint));
    show(this.solve, buttons && task.open);
    show(this.skip, buttons && task.open);
    this.solve.disabled = Boolean(busy);
    attr(this.solve, 'aria-busy', busy?.what === 'solve' && busy.of === task.id ? 'true' : null);
    this.again.draw(label.again, label.sure, { label, busy, buttons: buttons && (task.state === 'passed' || task.state === 'skipped' || task.state === 'broken') });
  }

  flash() {
    this.node.classList.remove('news');
    void this.node.offsetWidth; // begins the animation again
    this.node.classList.add('news');
  }
}
