// Every exercise of a page can be answered in an editor, and is checked by the series' own grader.
import {ask, end} from './python.js';
import {cells, made, revive} from './explorers.js';
import {say} from './words.js';

const SECONDS = 10;      // that an answer has; the tests of an exercise take a tenth of one
const RUNNING = say('Your function is running.');
const TOO_LONG = say('It did not return within {seconds} seconds. Is there a loop that never ends? '
  + 'Python was started anew.', {seconds: SECONDS});
const HELP = say('Tab indents; to leave the editor with the keyboard, press Escape and then Tab. '
  + 'What you write stays in this browser.');
const NOT_HERE = say('This page cannot check the answer: it is a class of PyTorch, which no browser has. '
  + 'With the series installed, the notebook checks it.');

class Exercise {
  constructor(cell, place) {
    this.cell = cell;
    this.place = place;
    this.input = cell.querySelector('.cell_input');
    this.output = cell.querySelector('.cell_output');
    this.open = made('button', {type: 'button', className: 'wake', textContent: say('Answer it here')});
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
    const buttons = [[say('Check'), () => this.check()], [say('Copy'), () => this.copy()],
      [say('Download'), () => this.download()], [say('Start again'), () => this.editor.replace(this.told.stub)]];
    for (const [name, press] of buttons) {
      const button = made('button', {type: 'button', textContent: name});
      button.addEventListener('click', press);
      row.append(button);
    }
    const label = say('Your answer to {name}', {name: this.told.name});
    this.editor = editor(box, localStorage.getItem(this.key) ?? this.told.stub, label,
      text => localStorage.setItem(this.key, text));
    box.append(row, made('p', {className: 'help', textContent: HELP}), this.says);
    this.open.replaceWith(box);
    this.input.hidden = true;
    this.check_button = row.firstChild;
    this.check_button.disabled = this.told.torch;
    this.says.textContent = this.told.torch ? NOT_HERE : '';
    this.editor.focus();
  }

  async check() {
    let timer;
    this.check_button.disabled = true;
    try {
      const told = words => {
        this.says.textContent = words;
        if (words === RUNNING) timer = setTimeout(() => end(TOO_LONG), 1000 * SECONDS);
      };
      const {name, cells: before, ask: question} = this.told;
      this.output.innerHTML = await ask('grade',
        {key: name, cells: before, source: this.editor.text(), question}, told);
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
      this.says.textContent = say('Copied.');
    } catch {
      this.says.textContent = say('This browser does not let a page copy: select the text, or download it.');
    }
  }

  download() {
    const href = URL.createObjectURL(new Blob([this.editor.text()], {type: 'text/x-python'}));
    made('a', {href, download: `${this.told.name}.py`}).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  }
}

document.querySelectorAll('.cell.tag_exercise').forEach((cell, place) => new Exercise(cell, place));
