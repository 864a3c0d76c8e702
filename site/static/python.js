// One Python for a page: Pyodide in a worker, started when it is first asked for.
import {say} from './words.js';

let worker, next = 0;
const waiting = new Map();

function start() {
  worker = new Worker(new URL('worker.js', import.meta.url), {name: document.documentElement.lang});
  worker.onmessage = ({data: {id, progress, answer, error, fields}}) => {
    const {done, fail, told} = waiting.get(id);
    if (progress !== undefined) return told(say(progress, fields));
    waiting.delete(id);
    if (error !== undefined) fail(new Error(say(error, fields))); else done(answer);
  };
  worker.onerror = event => {
    const sentence = say('Python did not start: {why}', {why: event.message});
    for (const {fail} of waiting.values()) fail(new Error(sentence));
    waiting.clear();
    worker = undefined;
  };
}

// Ask Python to do something named in worker.js; `told` hears sentences of progress.
export function ask(what, values, told = () => {}) {
  if (!worker) start();
  return new Promise((done, fail) => {
    waiting.set(++next, {done, fail, told});
    worker.postMessage({id: next, what, values});
  });
}

// End Python, whatever it is doing; who waits for it hears why, and the next question starts another.
export function end(reason) {
  worker?.terminate();
  worker = undefined;
  for (const {fail} of waiting.values()) fail(new Error(reason));
  waiting.clear();
}
