// What a page says, in its language. English words are the keys: their Chinese stands in site/locale.
const address = new URL('words.zh.json', import.meta.url);
const words = document.documentElement.lang.startsWith('zh') ? await (await fetch(address)).json() : {};

// A text in the page's language, with {name} filled in from fields.name.
export const say = (text, fields = {}) => (words[text] ?? text).replace(/\{(\w+)\}/g, (_, name) => fields[name]);
