// Native controls drawn from what an explorer says of them: kind, label, limits, options, value.
import {say} from './words.js';

const made = (tag, traits = {}, ...children) => {
  const one = Object.assign(document.createElement(tag), traits);
  one.append(...children);
  return one;
};

const TICK = 125;                // milliseconds from one step of Play to the next

// A control of any kind; `moved(name, value)` hears of every change. Returns {node, follow}: follow(told) shows new values.
export function control(told, moved) {
  return {range, choice, switch: tick, text, group}[told.kind](told, moved);
}

function named(told) {
  const name = made('span', {className: 'name'});
  if (told.html) name.innerHTML = told.label; else name.textContent = told.label;
  return name;
}

function range(told, moved) {
  const input = made('input', {type: 'range'}), said = made('output');
  const node = made('label', {className: 'range'}, named(told), input, said);
  const follow = now => {
    Object.assign(input, {min: now.min, max: now.max, step: now.step, disabled: now.disabled});
    input.value = now.value;
    said.textContent = now.text;
    input.setAttribute('aria-valuetext', now.text);
  };
  input.addEventListener('input', () => moved(told.name, +input.value));
  follow(told);
  if (!told.play) return {node, follow};
  const button = player(told, input, moved);
  return {node: made('div', {className: 'played'}, node, button), follow};
}

// Takes a slider to its end, and begins anew when it is pressed there.
function player(told, input, moved) {
  const button = made('button', {type: 'button', className: 'play'});
  let timer;
  const show = () => {
    const name = told.label;
    button.textContent = timer ? say('Pause') : say('Play');
    button.setAttribute('aria-label', timer ? say('Pause {name}', {name}) : say('Play {name}', {name}));
  };
  const stop = () => { clearInterval(timer); timer = undefined; show(); };
  const step = () => {
    if (!button.isConnected || +input.value >= +input.max) return stop();
    input.stepUp();
    moved(told.name, +input.value);
  };
  button.addEventListener('click', () => {
    if (timer) return stop();
    if (+input.value >= +input.max) { input.value = input.min; moved(told.name, +input.value); }
    timer = setInterval(step, TICK);
    show();
  });
  show();
  return button;
}

function choice(told, moved) {
  const input = made('select', {}, ...told.options.map((words, k) => made('option', {value: k, textContent: words})));
  const follow = now => { input.value = now.value; input.disabled = now.disabled; };
  input.addEventListener('input', () => moved(told.name, +input.value));
  follow(told);
  return {node: made('label', {className: 'choice'}, named(told), input), follow};
}

function tick(told, moved) {
  const input = made('input', {type: 'checkbox'});
  const follow = now => { input.checked = now.value; input.disabled = now.disabled; };
  input.addEventListener('input', () => moved(told.name, input.checked));
  follow(told);
  return {node: made('label', {className: 'switch'}, input, named(told)), follow};
}

function text(told, moved) {
  const input = made('input', {type: 'text', spellcheck: false});
  const follow = now => { if (input !== document.activeElement) input.value = now.value; input.disabled = now.disabled; };
  input.addEventListener('input', () => moved(told.name, input.value));
  follow(told);
  return {node: made('label', {className: 'text'}, named(told), input), follow};
}

function group(told, moved) {
  const parts = told.parts.map(part => control(part, moved));
  const node = made('fieldset', {}, made('legend', {textContent: told.label || told.name}), ...parts.map(part => part.node));
  return {node, follow: now => now.parts.forEach((part, k) => parts[k].follow(part))};
}
