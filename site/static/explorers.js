// Every stored picture of an explorer gets a button; pressed, the explorer wakes up where it stands.
import {ask} from './python.js';
import {control} from './controls.js';
import {say} from './words.js';

const address = new URL(`cells/${location.pathname.split('/').pop().replace('.html', '.json')}`, import.meta.url);
const awake = [];

// The cells that this page's explorers and exercises need.
export const cells = async () => (await fetch(address)).json();

export const made = (tag, traits = {}) => Object.assign(document.createElement(tag), traits);

// After Python was ended: bring every explorer back to where it stood.
export const revive = () => awake.forEach(one => one.revive());

class Explorer {
  constructor(image, place) {
    this.image = image;
    this.stored = true;          // the picture that stands there is finished, and that of the first settings
    this.key = `explorer ${place}`;
    this.place = place;
    this.words = image.nextElementSibling;
    this.button = made('button', {type: 'button', className: 'wake', textContent: say('Move it')});
    this.progress = made('p', {className: 'progress'});
    this.progress.setAttribute('role', 'status');
    this.button.addEventListener('click', () => this.wake());
    this.words.after(this.progress, this.button);
  }

  async wake() {
    this.button.disabled = true;
    try {
      const {explorers} = await cells();
      this.cells = explorers[this.place];
      const news = await this.start();
      this.draw(news);
      this.show(news);
      this.button.remove();
      this.progress.textContent = '';
      this.box.querySelector('input, select').focus({preventScroll: true});
      this.box.scrollIntoView({block: 'nearest', behavior: 'instant'});
      awake.push(this);
      this.follow();
    } catch (error) {
      this.progress.textContent = say('It does not wake up: {why}', {why: error.message});
      this.button.disabled = false;
    }
  }

  start() {
    return ask('wake', {key: this.key, cells: this.cells, ratio: devicePixelRatio},
               words => { this.progress.textContent = words; });
  }

  async revive() {
    const values = this.news.controls.flatMap(told => told.parts ?? [told]).map(told => [told.name, told.value]);
    this.busy = true;            // what is moved meanwhile comes after
    await this.start();
    this.progress.textContent = '';
    await this.tell('turn', {values});
    this.busy = false;
    return this.follow();
  }

  draw({controls, buttons}) {
    this.pending = new Map();
    this.drawn = controls.map(told => control(told, (name, value) => this.moved(name, value)));
    this.box = made('div', {className: 'controls'});
    this.box.setAttribute('role', 'group');
    this.box.setAttribute('aria-label', say('Controls of the picture'));
    const row = made('div', {className: 'buttons'});
    for (const [name, textContent] of Object.entries(buttons)) {
      const button = made('button', {type: 'button', textContent});
      button.addEventListener('click', () => {
        this.stored = false;
        this.tell('press', {button: name}).then(() => this.follow());
      });
      row.append(button);
    }
    this.box.append(...this.drawn.map(one => one.node), row);
    this.complaint = made('p', {className: 'complaint'});
    this.complaint.setAttribute('role', 'alert');
    this.words.setAttribute('role', 'status');
    this.words.classList.add('sentence');
    this.image.before(this.box);
    this.words.after(this.complaint);
  }

  moved(name, value) {
    this.stored = false;
    this.pending.set(name, value);
    return this.follow();
  }

  // While Python draws, only the newest value of each control is kept; where none is new, a picture fills in.
  async follow() {
    if (this.busy) return;
    this.busy = true;
    while (this.pending.size || !this.news.finished) {
      const values = [...this.pending];
      this.pending.clear();
      await (values.length ? this.tell('turn', {values}) : this.tell('go_on', {}));
    }
    this.busy = false;
  }

  async tell(what, values) {
    try {
      this.show(await ask(what, {key: this.key, ratio: devicePixelRatio, ...values}));
    } catch (error) {
      this.complaint.textContent = error.message;
      this.news.finished = true;
    }
  }

  show(news) {
    const {png, sentence, complaint, controls} = news, old = this.image.src;
    this.news = news;
    if (this.stored && !news.finished) return;
    this.complaint.textContent = complaint;
    if (!this.pending.size) controls.forEach((told, k) => this.drawn[k].follow(told));
    this.image.src = URL.createObjectURL(new Blob([png], {type: 'image/png'}));
    if (old.startsWith('blob:')) this.image.decode().catch(() => {}).finally(() => URL.revokeObjectURL(old));
    this.image.alt = sentence;
    if (this.words.textContent === sentence) return;
    this.words.textContent = sentence;
    this.words.style.minHeight = `${this.words.offsetHeight}px`;        // the page below jumps once, if at all
  }
}

// Enlarge the page, and pictures get its pixels; one that is busy hears of them with its next values.
let ratio = devicePixelRatio;
addEventListener('resize', () => {
  if (ratio !== devicePixelRatio) {
    awake.filter(one => !one.busy).forEach(one => one.tell('turn', {values: []}).then(() => one.follow()));
  }
  ratio = devicePixelRatio;
});

document.querySelectorAll('img.explore').forEach((image, place) => new Explorer(image, place));
