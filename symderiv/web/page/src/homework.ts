// A derivation in LaTeX, as it stands in one's notes: each equality proved or refuted, the first wrong one named.
import { Latest, type App } from "./app";
import { announce, fill, h, type Child } from "./dom";
import { Editor } from "./editor";
import type { Answer, Fault } from "./engine";
import { maths } from "./maths";
import { badge, busy, claimBody, faultBox, rulesOf, spanOf } from "./shown";
import { phrase, say } from "./words";

const START = {
  latex: String.raw`\frac{\partial f}{\partial w_k}
  &= \sum_i 2 (X w - y)_i \frac{\partial (X w - y)_i}{\partial w_k} && \text{chain rule} \\
  &= \sum_i 2 (X w - y)_i X_{ik} \\
  &= (X^\top (X w - y))_k
`,
  given: "f = norm(X @ w - y)**2\n",
};
const TYPING = 500;

export class HomeworkView {
  readonly place: HTMLElement;
  private latex: Editor;
  private given: Editor;
  private latest: Latest;
  private guessed = h("p", { class: "note guesses" });
  private found = h("div", { class: "found" });

  constructor(private app: App) {
    this.latest = new Latest(app);
    const { state } = app;
    const shown = state.latex || state.given ? state : START; // the example is put into no link
    const changed = () => {
      Object.assign(state, { latex: this.latex.text, given: this.given.text });
      this.latest.after(TYPING, () => void this.check());
    };
    this.latex = new Editor(shown.latex, { label: say("latexLabel"), lines: true, latex: true, onchange: changed });
    this.given = new Editor(shown.given, { label: say("givenLabel"), hint: "A: (n, n)", lines: true, onchange: changed });
    this.place = h("div", { class: "statements homework" },
      h("section", { class: "card ask" },
        h("h2", { class: "label" }, say("latexLabel")), this.latex.place, h("p", { class: "note" }, say("latexHint")),
        h("h2", { class: "label" }, say("givenLabel")), this.given.place, this.guessed, h("p", { class: "note" }, say("givenHint"))),
      this.found);
    void this.check();
  }

  private async check(): Promise<void> {
    const { state } = this.app;
    this.app.save();
    const late = window.setTimeout(() => fill(this.found, h("section", { class: "card" }, busy(), h("button", { type: "button", class: "quiet", onclick: () => this.app.engine.stop() }, say("stop")))), 350);
    const answer = await this.latest.ask({ ask: "homework", text: this.latex.text, given: this.given.text, language: state.language, detail: state.detail }).finally(() => clearTimeout(late));
    if (answer) this.show(answer);
  }

  private show(answer: Answer): void {
    if (!answer.ok) return fill(this.found, h("section", { class: "card" }, faultBox(answer.error!)));
    const guesses: string[] = answer.guessed;
    fill(this.guessed, guesses.length ? [`${say("guessed")}: `, guesses.map((text, k) => [k ? ", " : null, h("code", {}, text)]), " ",
      h("button", { type: "button", class: "quiet small", onclick: () => { this.given.text = `${guesses.join("\n")}\n${this.given.text}`; } }, say("writeIn"))] : null);
    const faults: Fault[] = answer.faults, fault: Fault | null = answer.fault;
    const wrong: Answer | undefined = answer.rows.find((row: Answer) => row.number === answer.wrong);
    this.given.mark(faults.flatMap((found) => (found.place ? spanOf(found, found.place.text) : [])));
    this.latex.mark(fault?.place ? spanOf(fault, fault.place.text) : wrong ? [{ line: wrong.place.line, from: wrong.place.column, to: wrong.place.end }] : []);
    const summary = answer.rows.length ? (wrong ? say("firstWrong", { number: wrong.number }) : answer.rows.every((row: Answer) => row.status === "proved") ? say("allRight") : say("someOpen")) : "";
    if (summary) announce(summary);
    fill(this.found,
      faults.map((found) => h("section", { class: "card" }, h("h3", { class: "label" }, say("givenLabel")), faultBox(found))),
      fault ? h("section", { class: "card" }, this.line(fault.place?.line ?? 0), faultBox(fault)) : null,
      summary ? h("p", { class: `summary ${wrong ? "bad" : "good"}` }, summary) : null,
      answer.rows.map((row: Answer) => this.row(row, row.number === answer.wrong)));
  }

  private line(line: number): Child {
    return line ? h("button", { type: "button", class: "quiet small line", onclick: () => this.latex.goto(line) }, say("line", { line })) : null;
  }

  private row(row: Answer, first: boolean): HTMLElement {
    const basis = row.basis ? phrase(`basis_${row.basis}`) : "";
    return h("section", { class: `card claim ${row.status}${first ? " unexpected" : ""}`, "aria-label": say("equality", { number: row.number }) },
      h("div", { class: "card-head" },
        h("h3", {}, String(row.number)), h("span", { class: "claim-status" }, badge(row.status), basis ? h("span", { class: "note" }, ` ${basis}`) : null), this.line(row.place.line)),
      h("div", { class: "formula small" }, maths(row.latex, { display: true })),
      row.remarks.length ? h("p", { class: "note remarks" }, `${say("notRead")}: `, row.remarks.map((text: string) => maths(text))) : null,
      row.claim ? claimBody(row.claim, rulesOf(this.app.engine)) : null,
      row.reason ? h("p", { class: "note reason-said", lang: row.reasonLanguage ?? "en" }, row.reason) : null);
  }
}
