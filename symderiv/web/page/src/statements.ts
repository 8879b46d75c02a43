// Blocks of a handout: declarations, definitions and claims, each decided as it stands there.
import { Latest, type App } from "./app";
import { announce, copyButton, fill, h, type Child } from "./dom";
import { Editor } from "./editor";
import type { Answer, Fault } from "./engine";
import { maths, words } from "./maths";
import { badge, busy, claimBody, codeOf, faultBox, rulesOf, spanOf } from "./shown";
import { phrase, say } from "./words";

const START = `X: (n, p)
w: (p,)
y: (n,)
u = X @ w - y
E = norm(u)**2
assert diff(E, w) == 2 * X.T @ u, "gradient"
assert diff(E, w, w) == 2 * X.T @ X, "Hessian"
assert not (diff(E, w) == X.T @ u), "a factor forgotten"
`;
const TYPING = 500;

interface Shown extends Record<string, any> { kind: "definitions" | "claim" | "code" | "table" }

export class StatementsView {
  readonly place: HTMLElement;
  private editor: Editor;
  private latest: Latest;
  private found = h("div", { class: "found" });

  constructor(private app: App) {
    this.latest = new Latest(app);
    this.editor = new Editor(app.state.text || START, { // the example is put into no link
      label: say("statementsLabel"), lines: true,
      onchange: (text) => { app.state.text = text; this.latest.after(TYPING, () => void this.decide()); },
    });
    this.place = h("div", { class: "statements" },
      h("section", { class: "card ask" }, h("h2", { class: "label" }, say("statementsLabel")), this.editor.place, h("p", { class: "note" }, say("statementsHint"))),
      this.found);
    void this.decide();
  }

  private async decide(): Promise<void> {
    const { state } = this.app;
    this.app.save();
    const late = window.setTimeout(() => fill(this.found, h("section", { class: "card" }, busy(), h("button", { type: "button", class: "quiet", onclick: () => this.app.engine.stop() }, say("stop")))), 350);
    const answer = await this.latest.ask({ ask: "statements", text: this.editor.text, language: state.language, detail: state.detail }).finally(() => clearTimeout(late));
    if (answer) this.show(answer);
  }

  private show(answer: Answer): void {
    if (!answer.ok) {
      fill(this.found, h("section", { class: "card" }, faultBox(answer.error!)));
      return;
    }
    const faults: Fault[] = answer.faults;
    this.editor.mark(faults.flatMap((fault) => (fault.place ? spanOf(fault, fault.place.text) : [])));
    const shown: Shown[] = answer.shown;
    const claims = shown.filter((item) => item.kind === "claim");
    announce(claims.map((claim) => `${claim.label || claim.id}: ${phrase(claim.status)}`).join(", "));
    fill(this.found,
      faults.map((fault) => h("section", { class: "card" }, this.lineLink(fault.place?.line ?? 0), faultBox(fault))),
      shown.map((item) => this.item(item)),
      !shown.length && !faults.length ? h("p", { class: "note" }, say("nothing")) : null,
      answer.numpy ? h("section", { class: "card" },
        h("div", { class: "panel-head" }, h("h3", { class: "label" }, say("download")), copyButton(say("copy"), say("copied"), () => answer.numpy)), codeOf(answer.numpy)) : null);
  }

  private lineLink(line: number): Child {
    return line ? h("button", { type: "button", class: "quiet small line", onclick: () => this.editor.goto(line) }, say("line", { line })) : null;
  }

  private item(item: Shown): HTMLElement {
    switch (item.kind) {
      case "definitions":
        return h("section", { class: "card definitions" }, h("h3", { class: "label" }, phrase("definitions")),
          item.groups.map((group: { ranges: string; entries: string[] }) => h("div", { class: "group" },
            group.ranges ? h("p", { class: "ranges" }, maths(group.ranges)) : null,
            h("ul", {}, group.entries.map((entry) => h("li", {}, maths(entry)))))));
      case "code":
        return h("section", { class: "card" }, h("div", { class: "panel-head" }, h("p", {}, words(item.caption)), copyButton(say("copy"), say("copied"), () => item.source)), codeOf(item.source));
      case "table":
        return h("section", { class: "card scroll" }, h("table", {}, item.rows.map((row: string[], k: number) => h("tr", {}, row.map((cell) => h(k ? "td" : "th", {}, words(cell)))))));
      default:
        return this.claim(item);
    }
  }

  private claim(claim: Shown): HTMLElement {
    const basis = claim.basis ? phrase(`basis_${claim.basis}`) : "";
    const expected = claim.expected === claim.status || claim.status === "agrees";
    return h("section", { class: `card claim ${claim.status}${expected ? "" : " unexpected"}` },
      h("div", { class: "card-head" },
        h("h3", {}, claim.label || claim.id), h("span", { class: "claim-status" }, badge(claim.status), basis ? h("span", { class: "note" }, ` ${basis}`) : null), this.lineLink(claim.line)),
      claim.setting ? h("p", { class: "note" }, words(claim.setting)) : null,
      claim.statement ? h("div", { class: "formula small" }, maths(claim.statement, { display: true })) : null,
      claimBody(claim, rulesOf(this.app.engine)));
  }
}
