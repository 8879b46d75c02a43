// CodeMirror, small: a history, brackets, colours for NumPy's notation, a mark under what is wrong.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, StreamLanguage, bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { EditorState, StateEffect, StateField, type Extension } from "@codemirror/state";
import { Decoration, EditorView, keymap, lineNumbers, placeholder, type DecorationSet } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { h } from "./dom";

const KEYWORDS = new Set(["assert", "not", "with", "for", "in", "def", "return", "given", "neglecting", "because", "range"]);

const notation = StreamLanguage.define({
  name: "symderiv",
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/#.*/)) return "comment";
    if (stream.match(/\\([A-Za-z]+|.)/)) return "variableName.function"; // a command of LaTeX
    if (stream.match(/"[^"]*"?|'[^']*'?/)) return "string";
    if (stream.match(/\d+(\.\d*)?([eE][+-]?\d+)?/)) return "number";
    const word = stream.match(/[\p{L}_][\p{L}\p{N}_]*/u) as RegExpMatchArray | null;
    if (word) return KEYWORDS.has(word[0]) ? "keyword" : stream.match(/\s*\(/, false) ? "variableName.function" : "variableName";
    stream.next();
    return "operator";
  },
  tokenTable: { "variableName.function": tags.function(tags.variableName) },
});

const latex = StreamLanguage.define({
  name: "latex",
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/%.*/)) return "comment";
    if (stream.match(/\\(\\|[A-Za-z]+|.)/)) return "variableName.function";
    if (stream.match(/\d+(\.\d*)?/)) return "number";
    if (stream.match(/[A-Za-z]/)) return "variableName";
    stream.next();
    return "operator";
  },
  tokenTable: { "variableName.function": tags.function(tags.variableName) },
});

const colours = HighlightStyle.define([
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: tags.string, color: "var(--good)" },
  { tag: tags.number, color: "var(--accent)" },
  { tag: tags.keyword, color: "var(--accent)", fontWeight: "600" },
  { tag: tags.function(tags.variableName), color: "var(--accent)" },
  { tag: tags.operator, color: "var(--muted)" },
]);

export interface Span { line: number; from: number; to: number }

const setMarks = StateEffect.define<Span[]>();
const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(found, transaction) {
    found = found.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setMarks)) continue;
      const { doc } = transaction.state;
      const ranges = effect.value.filter((s) => s.line <= doc.lines).map((s) => {
        const line = doc.line(s.line);
        const from = Math.min(line.from + s.from, line.to), to = Math.min(line.from + s.to, line.to);
        return { from: Math.max(line.from, from === to ? from - 1 : from), to };
      }).filter((s) => s.from < s.to).sort((a, b) => a.from - b.from);
      found = Decoration.set(ranges.map((s) => Decoration.mark({ class: "cm-wrong" }).range(s.from, s.to)));
    }
    return found;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const theme = EditorView.theme({
  "&": { fontSize: "1.0625rem", backgroundColor: "transparent", color: "var(--ink)" },
  "&.cm-focused": { outline: "none" },
  ".cm-content": { fontFamily: "var(--mono)", padding: "0.7rem 0", caretColor: "var(--ink)", lineHeight: "1.55" },
  ".cm-line": { padding: "0 0.9rem" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": { backgroundColor: "var(--selected) !important" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--faint)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 0.2rem 0 0.8rem", minWidth: "1.6rem" },
  ".cm-placeholder": { color: "var(--faint)" },
  ".cm-wrong": { textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "0.25em" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--selected)" },
  ".cm-scroller": { fontFamily: "var(--mono)" },
});

// Typing over a selection, a browser would keep the colour of what stood there, by a style that the policy forbids.
const typedOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    if (event.inputType !== "insertText" || event.isComposing || event.data === null || view.state.selection.main.empty) return false;
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    return true;
  },
});

export class Editor {
  readonly place: HTMLElement;
  private view: EditorView;

  // In a shadow root the editor's own style needs no leave from the page's security policy.
  constructor(text: string, options: { label: string; hint?: string; lines?: boolean; latex?: boolean; enter?: () => void; onchange: (text: string) => void }) {
    const inner = h("div");
    this.place = h("div", { class: "editor" });
    const root = this.place.attachShadow({ mode: "open", delegatesFocus: true });
    root.append(inner);
    const extensions: Extension[] = [
      history(), typedOver, bracketMatching(), options.latex ? latex : notation, syntaxHighlighting(colours), marks, theme, EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": options.label, spellcheck: "false", autocapitalize: "off", autocorrect: "off" }),
      EditorView.updateListener.of((update) => { if (update.docChanged) options.onchange(update.state.doc.toString()); }),
    ];
    if (options.enter) extensions.push(keymap.of([{ key: "Enter", run: () => { options.enter!(); return true; } }]));
    if (options.hint) extensions.push(placeholder(options.hint));
    if (options.lines) extensions.push(lineNumbers());
    extensions.push(keymap.of([...defaultKeymap, ...historyKeymap]));
    this.view = new EditorView({ parent: inner, root, state: EditorState.create({ doc: text, extensions }) });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  set text(value: string) {
    if (value !== this.text) this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: value } });
  }

  mark(spans: Span[]): void {
    this.view.dispatch({ effects: setMarks.of(spans) });
  }

  focus(): void {
    this.view.focus();
  }

  goto(line: number): void {
    const { doc } = this.view.state;
    const found = doc.line(Math.min(Math.max(line, 1), doc.lines));
    this.view.dispatch({ selection: { anchor: found.to }, effects: EditorView.scrollIntoView(found.from, { y: "center" }) });
    this.view.focus();
  }
}
