// The files of archives, fetched and inflated beside the Python that starts meanwhile.
importScripts('where.js');

// What a picture needs of Pyodide's packages. Matplotlib names others too, which it never imports here.
const PACKAGES = ['numpy', 'pillow', 'contourpy', 'kiwisolver', 'cycler', 'pyparsing', 'packaging', 'six', 'python-dateutil',
  'traitlets', 'matplotlib'];
const SITE = '/lib/python3.12/site-packages/';
const NOT_NEEDED = /\/tests\/|\/mpl-data\/(sample_data|images|fonts\/(afm|pdfcorefonts))\/|\.(pyi|pxd|h|a)$|\/$/;
const DEFLATED = 8;

// Where in an archive its files are: [name, bytes as they are stored, method].
function* members(archive) {
  const view = new DataView(archive), words = new TextDecoder();
  let end = archive.byteLength - 22;                   // the central directory's end, before a comment
  while (view.getUint32(end, true) !== 0x06054b50) end -= 1;
  for (let left = view.getUint16(end + 10, true), at = view.getUint32(end + 16, true); left; left -= 1) {
    const [named, more, comment] = [28, 30, 32].map(place => view.getUint16(at + place, true));
    const file = view.getUint32(at + 42, true);
    const start = file + 30 + view.getUint16(file + 26, true) + view.getUint16(file + 28, true);
    yield [words.decode(new Uint8Array(archive, at + 46, named)),
      new Uint8Array(archive, start, view.getUint32(at + 20, true)), view.getUint16(at + 10, true)];
    at += 46 + named + more + comment;
  }
}

async function inflated(bytes, method) {
  if (method !== DEFLATED) return bytes.slice();
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function unpack(folder, address, integrity) {
  const answer = await fetch(address, {integrity});
  if (!answer.ok) {
    const fields = {address, status: answer.status};
    throw Object.assign(new Error('{address} cannot be had: {status}'), {fields});
  }
  const needed = [...members(await answer.arrayBuffer())].filter(([name]) => !NOT_NEEDED.test(name));
  return Promise.all(needed.map(async ([name, ...stored]) => [folder + name, await inflated(...stored)]));
}

const checked = hex => 'sha256-' + btoa(String.fromCharCode(...hex.match(/../g).map(byte => parseInt(byte, 16))));

async function all() {
  const {packages} = await (await fetch(where.pyodide + 'pyodide-lock.json')).json();
  const theirs = PACKAGES.map(name => packages[name]);
  const ours = ['python.zip', ...(name.startsWith('zh') ? ['zh.zip'] : [])];
  return (await Promise.all([...ours.map(archive => unpack('/ours/', archive)),
    ...theirs.map(one => unpack(SITE, where.pyodide + one.file_name, checked(one.sha256)))])).flat();
}

all().then(files => postMessage({files}, files.map(([, bytes]) => bytes.buffer)),
           ({message, fields}) => postMessage({error: message, fields}));
