// An editor for Python: CodeMirror 6, with the few of its parts that an answer of ten lines needs.
import {EditorState, EditorView, bracketMatching, defaultHighlightStyle, defaultKeymap, drawSelection, history,
  historyKeymap, indentOnInput, indentUnit, indentWithTab, keymap, languages, lineNumbers, syntaxHighlighting}
  from './codemirror/index.js';

const python = await languages.find(language => language.name === 'Python').load();

// Put an editor with this text into `parent`; `changed(text)` hears of every change. Returns {text, replace, focus}.
export function editor(parent, text, label, changed) {
  const view = new EditorView({parent, state: EditorState.create({doc: text, extensions: [
    lineNumbers(), history(), drawSelection(), bracketMatching(), indentOnInput(), indentUnit.of('    '), python,
    syntaxHighlighting(defaultHighlightStyle), keymap.of([indentWithTab, ...defaultKeymap, ...historyKeymap]),
    EditorView.contentAttributes.of({'aria-label': label}),
    EditorView.updateListener.of(update => { if (update.docChanged) changed(update.state.doc.toString()); })]})});
  return {text: () => view.state.doc.toString(), focus: () => view.focus(),
    replace: words => view.dispatch({changes: {from: 0, to: view.state.doc.length, insert: words}})};
}
