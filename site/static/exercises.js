// Every exercise of a page can be answered in an editor, and is checked by the series' own grader.
import {ask, end} from './python.js';
import {cells, made, revive} from './explorers.js';

const SECONDS = 10;      // that an answer has; the tests of an exercise take a tenth of one
const TOO_LONG = `It did not return within ${SECONDS} seconds. Is there a loop that never ends? Python was started anew.`;
const HELP = 'Tab indents; to leave the editor with the keyboard, press Escape and then Tab. '
  + 'What you write stays in this browser.';

class Exercise {
  constructor(cell, place) {
    this.cell = cell;
    this.place = place;
    this.input = cell.querySelector('.cell_input');
    this.output = cell.querySelector('.cell_output');
    this.open = made('button', {type: 'button', className: 'wake', textContent: 'Answer it here'});
    this.open.addEventListener('click', () => this.begin());
    this.input.after(this.open);
  }

  async begin() {
    this.open.disabled = true;
    const [{exercises}, {editor}] = await Promise.all([cells(), import('./editor.js')]);
    this.told = exercises[this.place];
    this.key = `gradients-by-hand ${this.told.name}`;
    const box = made('div', {className: 'answer'}), row = made('div', {className: 'buttons'});
    this.says = made('p', {className: 'progress'});
    this.says.setAttribute('role', 'status');
    this.output.setAttribute('aria-live', 'polite');
    this.buttons = {Check: () => this.check(), Copy: () => this.copy(), Download: () => this.download(),
      'Start again': () => this.editor.replace(this.told.stub)};
    for (const [name, press] of Object.entries(this.buttons)) {
      const button = made('button', {type: 'button', textContent: name});
      button.addEventListener('click', press);
      row.append(button);
    }
    this.editor = editor(box, localStorage.getItem(this.key) ?? this.told.stub, `Your answer to ${this.told.name}`,
      text => localStorage.setItem(this.key, text));
    box.append(row, made('p', {className: 'help', textContent: HELP}), this.says);
    this.open.replaceWith(box);
    this.input.hidden = true;
    this.check_button = row.firstChild;
    this.check_button.disabled = Boolean(this.told.first);
    this.says.textContent = this.told.first;
    this.editor.focus();
  }

  async check() {
    let timer;
    this.check_button.disabled = true;
    try {
      const told = words => {
        this.says.textContent = words;
        if (words === this.told.running) timer = setTimeout(() => end(TOO_LONG), 1000 * SECONDS);
      };
      const {name, cells: before, ask: question, running} = this.told;
      this.output.innerHTML = await ask('grade',
        {key: name, cells: before, source: this.editor.text(), question, running}, told);
      this.says.textContent = '';
    } catch (error) {
      this.says.textContent = error.message;
      if (error.message === TOO_LONG) revive();
    } finally {
      clearTimeout(timer);
      this.check_button.disabled = false;
    }
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.editor.text());
      this.says.textContent = 'Copied.';
    } catch {
      this.says.textContent = 'This browser does not let a page copy: select the text, or download it.';
    }
  }

  download() {
    const href = URL.createObjectURL(new Blob([this.editor.text()], {type: 'text/x-python'}));
    made('a', {href, download: `${this.told.name}.py`}).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  }
}

document.querySelectorAll('.cell.tag_exercise').forEach((cell, place) => new Exercise(cell, place));
