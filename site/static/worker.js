// Python in the reader's browser: Pyodide, NumPy, Matplotlib, and our own files in python.zip.
importScripts('where.js');

const language = name.startsWith('zh') ? 'zh' : 'en';        // that of the page, which names us by it

// The files of the packages and ours, [path, bytes], from another worker.
function unpacked() {
  const unpacker = new Worker('unpack.js', {name});
  return new Promise((done, fail) => {
    unpacker.onmessage = ({data: {files, error, fields}}) => {
      if (error) fail(Object.assign(new Error(error), {fields})); else done(files);
    };
    unpacker.onerror = event => fail(new Error(event.message));
  }).finally(() => unpacker.terminate());
}

async function start(told) {
  told('Python starts: some seconds, once for each page.');
  const coming = unpacked();
  importScripts(where.pyodide + 'pyodide.js');
  const [python, files] = await Promise.all([
    loadPyodide({indexURL: where.pyodide,
                 env: {MPLBACKEND: 'agg', HOME: '/home/pyodide', GRADIENTS_LANGUAGE: language}}), coming]);
  for (const folder of new Set(files.map(([path]) => path.slice(0, path.lastIndexOf('/'))))) python.FS.mkdirTree(folder);
  for (const [path, bytes] of files) python.FS.writeFile(path, bytes, {canOwn: true});
  python.runPython('import sys; sys.path.insert(0, "/ours")');
  if (language === 'zh') python.pyimport('chinese_font').add();
  return python.pyimport('page');
}

// What an awake explorer has to show: its picture as bytes, and the rest as data.
function news(awake) {
  const bytes = awake.png, png = bytes.toJs(), told = JSON.parse(awake.news());
  bytes.destroy();
  awake.destroy();
  return {...told, png};
}

const actions = {
  async wake(page, told, {key, cells, ratio}) {
    for (const [k, cell] of cells.entries()) {
      told('Cell {k} of the {n} that this picture needs is running.', {k: k + 1, n: cells.length});
      if (k < cells.length - 1) page.run(key, cell);
    }
    return news(page.wake(key, cells.at(-1), ratio));
  },
  async grade(page, told, {key, cells, source, question}) {
    if (!page.spaces.has(key)) cells.forEach(cell => page.run(key, cell));
    told('Your function is running.');
    return page.grade(key, source, question);
  },
  turn: (page, told, {key, values, ratio}) => news(page.turn(key, JSON.stringify(values), ratio)),
  press: (page, told, {key, button}) => news(page.press(key, button)),
  go_on: (page, told, {key}) => news(page.go_on(key)),
};

let page, queue = Promise.resolve();
onmessage = ({data: {id, what, values}}) => {
  const told = (progress, fields) => postMessage({id, progress, fields});
  queue = queue.then(async () => {
    try {
      page ??= await start(told);
      const answer = await actions[what](page, told, values);
      postMessage({id, answer}, answer.png ? [answer.png.buffer] : []);
    } catch (error) {
      postMessage({id, error: String(error.message ?? error).trim().split('\n').at(-1), fields: error.fields});
    }
  });
};
