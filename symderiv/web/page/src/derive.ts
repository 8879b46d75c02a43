// An expression, its variables, its derivative; below it the proof, a check of one's own answer, the code, the graph.
import { Latest, subject, type App, type Variable } from "./app";
import { announce, choice, copyButton, fill, h } from "./dom";
import { Editor } from "./editor";
import type { Answer } from "./engine";
import { drawGraph } from "./graph";
import { maths, words, type Named } from "./maths";
import { badge, busy, codeOf, faultBox, proofOf, spanOf, type Step } from "./shown";
import type { Tab } from "./state";
import { phrase, say, startName, traitName, type Start } from "./words";

const STARTS: [start: Start, text: string][] = [
  ["leastSquares", "norm(X @ w - y)**2"], ["logistic", "sum(log(1 + exp(-y * (X @ w))))"], ["quadratic", "x @ A @ x"],
  ["layers", "norm(W @ tanh(V @ x + b) - y)**2"], ["gaussian", "logdet(K) + y @ inv(K) @ y"],
  ["factorisation", "norm(X - U @ V.T)**2"], ["softmax", "logsumexp(x) - x @ y"], ["inLatex", String.raw`\|X w - y\|^2 + \lambda w^\top w`],
];
const TABS: Tab[] = ["proof", "check", "code", "graph"];
const MOST_DERIVATIVES = 4;
const TYPING = 180; // milliseconds without a key, after which the expression is read

export class DeriveView {
  readonly place: HTMLElement;
  private editor: Editor;
  private reading: Latest;
  private deriving: Latest;
  private looking: Latest;
  private variables: Variable[] = [];
  private derived = "";
  private names: Named[] = [];
  private preview = h("div", { class: "preview" });
  private starts: HTMLElement;
  private table = h("div", { class: "variables" });
  private wrt = h("div", { class: "wrt" });
  private faults = h("div", { class: "faults" });
  private result = h("section", { class: "card result", "aria-label": say("result"), hidden: true });
  private panel = h("section", { class: "card panel", hidden: true });
  private content = h("div", { class: "panel-content", id: "panel", role: "tabpanel", tabindex: "-1" });
  private tabs: HTMLElement;
  private claim: Editor | null = null;

  constructor(private app: App) {
    this.reading = new Latest(app);
    this.deriving = new Latest(app);
    this.looking = new Latest(app);
    this.editor = new Editor(app.state.expr, {
      label: say("expression"), hint: say("expressionHint"), enter: () => this.read(),
      onchange: (text) => { app.state.expr = text; this.reading.after(TYPING, () => this.read()); },
    });
    this.starts = h("p", { class: "starts" }, h("span", { class: "label" }, say("tryOne")),
      STARTS.map(([name, text]) => h("button", { type: "button", class: "chip", title: text, onclick: () => this.begin(text) }, startName(name))));
    this.tabs = this.tabBar();
    fill(this.panel, this.tabs, this.content);
    this.place = h("div", { class: "derive" },
      h("section", { class: "card ask" },
        h("h2", { class: "label" }, say("expression")), this.editor.place, this.starts, this.preview, this.faults, this.table, this.wrt),
      this.result, this.panel);
    if (matchMedia("(pointer: fine)").matches) queueMicrotask(() => this.editor.focus()); // not where that opens a keyboard
    if (app.state.expr.trim()) void this.read();
  }

  begin(text: string): void {
    Object.assign(this.app.state, { expr: text, wrt: [], shapes: {}, assume: {}, structured: false, claim: "" });
    this.editor.text = text;
    this.editor.focus();
    void this.read();
  }

  // -- the expression and its variables

  private async read(): Promise<void> {
    const { state } = this.app;
    this.app.save();
    this.starts.hidden = state.expr.trim() !== "";
    if (!state.expr.trim()) {
      this.reading.cancel();
      this.variables = [];
      for (const part of [this.preview, this.faults, this.table, this.wrt]) fill(part);
      this.editor.mark([]);
      this.hideResult();
      return;
    }
    const answer = await this.reading.ask({ ask: "read", ...subject(state) });
    if (!answer) return;
    const wrong = answer.ok ? answer.fault : answer.error;
    if (answer.ok) {
      this.variables = answer.variables;
      const known = new Set(this.variables.map((v) => v.name));
      state.wrt = state.wrt.filter((name) => known.has(name));
      this.showVariables(state.wrt.length ? state.wrt : answer.wrt);
    }
    this.editor.mark(wrong ? spanOf(wrong, state.expr) : []);
    fill(this.faults, wrong ? faultBox(wrong) : null);
    fill(this.preview, answer.ok && answer.latex ? [h("span", { class: "label" }, say("reads")), maths(answer.latex), answer.numpy ? h("code", { class: "as-numpy" }, answer.numpy) : null] : null);
    if (wrong) this.hideResult();
    else await this.derive(state.wrt.length ? state.wrt : answer.wrt);
  }

  private showVariables(wrt: string[]): void {
    const focused = (document.activeElement as HTMLElement | null)?.id;
    fill(this.table, this.variables.length ? h("h3", { class: "label" }, say("variables")) : null,
      h("ul", {}, this.variables.map((variable) => this.variableRow(variable))));
    this.showWrt(wrt);
    if (focused) document.getElementById(focused)?.focus();
  }

  private variableRow(variable: Variable): HTMLElement {
    const { state } = this.app;
    const { name } = variable;
    const input = h("input", {
      id: `shape-${name}`, type: "text", value: variable.shape, spellcheck: "false", autocomplete: "off", "aria-label": say("shape", { name }),
      class: variable.guessed ? "shape guessed" : "shape", size: Math.max(6, variable.shape.length + 1), title: variable.guessed ? say("guessed") : say("given"),
      onchange: (event: Event) => { state.shapes[name] = (event.target as HTMLInputElement).value; void this.read(); },
    });
    const chosen = state.assume[name] ?? [];
    const possible = this.app.about.traits.filter((trait) => variable.square || !this.app.about.square.includes(trait));
    const traits = h("details", { class: "traits" },
      h("summary", { "aria-label": say("assumptions", { name }) }, chosen.length ? chosen.map(traitName).join(", ") : say("assume")),
      h("div", { class: "trait-list" }, possible.map((trait) => h("label", {},
        h("input", { type: "checkbox", checked: chosen.includes(trait), onchange: (event: Event) => {
          const on = (event.target as HTMLInputElement).checked;
          state.assume[name] = [...(state.assume[name] ?? []).filter((other) => other !== trait), ...(on ? [trait] : [])];
          if (!state.assume[name]!.length) delete state.assume[name];
          void this.read();
        } }), traitName(trait)))));
    traits.addEventListener("keydown", (event) => { if (event.key === "Escape") { traits.open = false; traits.querySelector("summary")?.focus(); } });
    return h("li", {},
      h("code", { class: "name" }, name), input,
      variable.guessed ? h("span", { class: "note" }, say("guessed")) : h("button", { type: "button", class: "quiet small", onclick: () => { delete state.shapes[name]; void this.read(); } }, say("reset")),
      variable.shape === "size" ? null : traits);
  }

  // -- what is differentiated in

  private showWrt(wrt: string[]): void {
    const { state } = this.app;
    const change = (names: string[]) => { state.wrt = names; void this.read(); };
    const arrays = this.variables.filter((v) => v.shape !== "size").map((v) => v.name);
    fill(this.wrt, h("h3", { class: "label" }, say("wrt")),
      h("div", { class: "chips" },
        choice(say("wrt"), arrays.map((name) => [name, name]), wrt[0] ?? "", (name) => change([name, ...wrt.slice(1)])),
        wrt.slice(1).concat(wrt.length < MOST_DERIVATIVES ? [""] : []).map((chosen, k) => h("label", { class: "again" }, say("again"),
          h("select", { id: `again-${k}`, onchange: (event: Event) => {
            const name = (event.target as HTMLSelectElement).value;
            change([...wrt.slice(0, k + 1), ...(name ? [name, ...wrt.slice(k + 2)] : [])]);
          } }, ["", ...arrays].map((name) => h("option", { value: name, selected: name === chosen }, name || "–")))))),
      this.structuredBox(wrt));
  }

  private structuredBox(wrt: string[]): HTMLElement | null {
    const { state } = this.app;
    const matters = wrt.some((name) => (state.assume[name] ?? []).some((trait) => ["symmetric", "diagonal", "positive_definite"].includes(trait)));
    if (!matters && !state.structured) return null;
    return h("label", { class: "structured" },
      h("input", { type: "checkbox", checked: state.structured, onchange: (event: Event) => { state.structured = (event.target as HTMLInputElement).checked; void this.read(); } }),
      say("structured"));
  }

  // -- the derivative

  private hideResult(): void {
    this.deriving.cancel();
    this.looking.cancel();
    this.result.hidden = this.panel.hidden = true;
    this.derived = "";
  }

  private question(wrt: string[]): Record<string, unknown> {
    const { state } = this.app;
    return { ...subject(state), wrt, language: state.language, layout: state.layout };
  }

  private async derive(wrt: string[]): Promise<void> {
    const { state } = this.app;
    const question = { ask: "derive", ...this.question(wrt) };
    const key = JSON.stringify(question);
    if (key === this.derived) return;
    const late = window.setTimeout(() => { this.result.hidden = false; fill(this.result, busy(), this.stopButton()); this.panel.hidden = true; }, 350);
    const answer = await this.deriving.ask(question).finally(() => clearTimeout(late));
    if (!answer) return;
    this.derived = answer.ok ? key : "";
    this.result.hidden = false;
    this.panel.hidden = !answer.ok;
    if (!answer.ok) {
      fill(this.result, faultBox(answer.error!));
      return;
    }
    this.names = answer.names;
    this.showResult(answer, wrt);
    announce(`${say("result")}: ${answer.result}`);
    this.showTab(state.tab, wrt);
  }

  private stopButton(): HTMLElement {
    return h("button", { type: "button", class: "quiet", onclick: () => this.app.engine.stop() }, say("stop"));
  }

  private showResult(answer: Answer, wrt: string[]): void {
    const { state } = this.app;
    const copies = () => this.app.engine.ask({ ask: "copies", ...this.question(wrt), detail: state.detail });
    const notes = h("div", { class: "notes" });
    fill(this.result,
      h("div", { class: "card-head" },
        h("h2", { class: "label" }, say("result"), h("span", { class: "shape-note" }, ` ${say("ofShape", { shape: answer.shape })}`)),
        choice(say("layout"), [["array", say("array")], ["numerator", say("numerator")], ["denominator", say("denominator")]], state.layout, (layout) => {
          state.layout = layout;
          this.app.save();
          void this.derive(wrt);
        })),
      h("div", { class: "formula", tabindex: "0", role: "group", "aria-label": say("result") }, maths(answer.latex, { display: true, names: this.names })),
      h("pre", { class: "closed", lang: "en" }, h("code", {}, answer.result)),
      notes,
      h("div", { class: "copies", role: "group", "aria-label": say("copyAs") }, h("span", { class: "label" }, say("copyAs")),
        copyButton(say("copyText"), say("copied"), () => answer.result),
        copyButton(say("copyLatex"), say("copied"), async () => (await copies()).latex ?? ""),
        copyButton(say("copyMarkdown"), say("copied"), async () => (await copies()).markdown ?? ""),
        copyButton(say("copyPlain"), say("copied"), async () => (await copies()).text ?? ""),
        copyButton(say("permalink"), say("copied"), () => location.href)));
    void this.app.engine.ask({ ask: "notes", ...this.question(wrt) }).then((found) => {
      const lines: string[] = [...(found.notes ?? []), state.layout === "array" ? "" : say(state.layout === "numerator" ? "numeratorNote" : "denominatorNote")].filter(Boolean);
      fill(notes, lines.map((line) => h("p", {}, words(line))));
    }).catch(() => undefined);
  }

  // -- below the derivative

  private tabBar(): HTMLElement {
    const { state } = this.app;
    const label: Record<Tab, string> = { proof: say("proof"), check: say("check"), code: say("code"), graph: say("graph") };
    const bar = h("div", { class: "tabs", role: "tablist" }, TABS.map((tab) => h("button", {
      type: "button", role: "tab", id: `tab-${tab}`, "aria-controls": "panel", "aria-selected": String(tab === state.tab), tabindex: tab === state.tab ? 0 : -1,
      onclick: () => this.chooseTab(tab),
    }, label[tab])));
    bar.addEventListener("keydown", (event) => {
      const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!move) return;
      const next = TABS[(TABS.indexOf(state.tab) + move + TABS.length) % TABS.length]!;
      this.chooseTab(next);
      document.getElementById(`tab-${next}`)?.focus();
    });
    return bar;
  }

  private chooseTab(tab: Tab): void {
    const { state } = this.app;
    state.tab = tab;
    for (const other of TABS) {
      const button = this.tabs.querySelector(`#tab-${other}`)!;
      button.setAttribute("aria-selected", String(other === tab));
      button.setAttribute("tabindex", other === tab ? "0" : "-1");
    }
    this.app.save();
    this.showTab(tab, JSON.parse(this.derived || "{}").wrt ?? state.wrt);
  }

  private showTab(tab: Tab, wrt: string[]): void {
    this.content.setAttribute("aria-labelledby", `tab-${tab}`);
    const late = window.setTimeout(() => fill(this.content, busy(), this.stopButton()), 350);
    const shown = { proof: this.showProof, check: this.showCheck, code: this.showCode, graph: this.showGraph }[tab].call(this, wrt);
    void shown.finally(() => clearTimeout(late));
  }

  private async showProof(wrt: string[]): Promise<void> {
    const { state } = this.app;
    const question = { ...this.question(wrt), detail: state.detail };
    const answer = await this.looking.ask({ ask: "proof", ...question });
    if (!answer) return;
    if (!answer.ok) return fill(this.content, faultBox(answer.error!));
    const why = async (name: string): Promise<Step[]> => (await this.app.engine.ask({ ask: "why", ...question, name })).steps ?? [];
    fill(this.content,
      h("div", { class: "panel-head" },
        h("p", { class: "note" }, answer.checked ? [badge("proved"), " ", say("steps", { count: answer.steps })] : say("unchecked")),
        choice(say("detail"), [["brief", say("brief")], ["normal", say("normal")], ["full", say("full")]], state.detail, (detail) => {
          state.detail = detail;
          this.app.save();
          void this.showProof(wrt);
        })),
      proofOf(answer.chains, answer.names, why),
      h("p", { class: "note hint" }, say("ruleHint")));
  }

  private async showCode(wrt: string[]): Promise<void> {
    const answer = await this.looking.ask({ ask: "code", ...this.question(wrt) });
    if (!answer) return;
    if (!answer.ok) return fill(this.content, faultBox(answer.error!));
    fill(this.content,
      h("div", { class: "panel-head" }, h("p", { class: "note" }, say("codeHint")), copyButton(say("copy"), say("copied"), () => answer.numpy)),
      codeOf(answer.numpy));
  }

  private async showGraph(wrt: string[]): Promise<void> {
    const answer = await this.looking.ask({ ask: "graph", ...this.question(wrt) });
    if (!answer) return;
    if (!answer.ok) return fill(this.content, faultBox(answer.error!));
    fill(this.content, h("p", { class: "note" }, say("graphHint")));
    drawGraph(this.content, answer as any);
  }

  // -- one's own answer

  private async showCheck(wrt: string[]): Promise<void> {
    const { state } = this.app;
    const verdict = h("div", { class: "verdict", role: "status" });
    const check = async () => {
      this.app.save();
      if (!state.claim.trim()) return fill(verdict);
      const late = window.setTimeout(() => fill(verdict, busy(), this.stopButton()), 350);
      const answer = await this.looking.ask({ ask: "verify", ...this.question(wrt), claim: state.claim }).finally(() => clearTimeout(late));
      if (!answer) return;
      this.claim?.mark(answer.ok ? [] : spanOf(answer.error!, state.claim));
      fill(verdict, answer.ok ? this.verdict(answer) : faultBox(answer.error!));
    };
    const typed = new Latest(this.app);
    this.claim = new Editor(state.claim, {
      label: say("claimLabel"), hint: say("claimHint"), enter: () => void check(),
      onchange: (text) => { state.claim = text; typed.after(700, () => this.app.save()); },
    });
    fill(this.content,
      h("div", { class: "claiming" }, h("h3", { class: "label" }, say("claimLabel")), this.claim.place,
        h("button", { type: "button", class: "main", onclick: () => void check() }, say("checkNow"))),
      verdict);
    void check(); // it tells itself that it is working
  }

  private verdict(answer: Answer): HTMLElement {
    const example = answer.counterexample;
    const basis = answer.basis ? phrase(`basis_${answer.basis}`) : "";
    const rows: [string, string][] = example ? [
      [phrase("sizes"), Object.entries(example.sizes).map(([name, size]) => `${name} = ${size}`).join(", ")],
      [example.entry.length ? say("atEntry", { entry: `[${example.entry.join(", ")}]` }) : say("wholeValue"), ""],
      [say("theDerivative"), example.left], [say("claimSays"), example.right],
    ] : [];
    return h("div", { class: `outcome ${answer.status}` },
      h("p", { class: "outcome-said" }, badge(answer.status), basis ? ` ${basis}` : ""),
      answer.status === "proved" ? null : h("div", { class: "correct" }, h("p", { class: "label" }, say("derivativeIs")), maths(answer.latex, { display: true })),
      example ? h("div", { class: "counterexample" }, h("h3", { class: "label" }, phrase("counterexample")),
        h("table", {}, rows.map(([name, value]) => h("tr", {}, h("th", { scope: "row", colspan: value ? null : 2 }, name), value ? h("td", {}, value) : null))),
        h("details", {}, h("summary", {}, say("pointShown")), h("pre", { class: "code" }, h("code", {}, Object.entries(example.point).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`).join(""))))) : null,
      answer.basis === "kernel" ? null : h("p", { class: "note", lang: answer.scopeLanguage }, answer.scope));
  }
}
