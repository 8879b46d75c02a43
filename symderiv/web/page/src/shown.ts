// Pieces that several views show: faults, proofs, code.
import { fill, h, type Child } from "./dom";
import type { Engine, Fault } from "./engine";
import type { Span } from "./editor";
import { maths, words, type Named } from "./maths";
import { faultKind, phrase, say } from "./words";

export interface ProofLine { left: string; relation: string; right: string[]; reason: string; rules: string[] }
export interface Chain { lines: ProofLine[]; checked: boolean; intro: string; cites: string[] }
export interface Step { rule: string; statement: string; proof?: string; before: string; after: string }
export type Why = (place: string, line: ProofLine) => Promise<Step[]>;

export function faultBox(fault: Fault): HTMLElement {
  const { place } = fault;
  const line = place ? place.text.split("\n")[place.line - 1] ?? "" : "";
  return h("div", { class: "fault", role: "alert" },
    kindOf(fault),
    h("p", { class: "fault-said", lang: fault.own ? null : "en" }, fault.message),
    place && line.trim() ? h("pre", { class: "fault-place" }, line.slice(0, place.column), h("mark", {}, line.slice(place.column, place.end) || " "), line.slice(place.end)) : null,
    Object.entries(fault.shapes).length ? h("ul", { class: "fault-shapes" }, Object.entries(fault.shapes).map(([name, shape]) => h("li", {}, `${name}: `, h("code", {}, shape)))) : null,
    fault.hint ? h("p", { class: "fault-hint" }, `${say("hint")}: `, h("span", { lang: fault.own ? null : "en" }, fault.hint)) : null);
}

// The engine speaks English; in other languages its messages begin with what kind of fault it is.
function kindOf(fault: Fault): Child {
  const kind = fault.own ? "" : faultKind(fault.kind);
  return kind ? h("p", { class: "fault-kind" }, kind) : null;
}

// Where a fault stands in a text: the engine counts in the text without the space around it.
export function spanOf(fault: Fault, text: string): Span[] {
  if (!fault.place) return [];
  const stripped = fault.place.text.trim() === text.trim();
  const lead = stripped && fault.place.line === 1 ? (fault.place.text.length === text.length ? 0 : text.length - text.trimStart().length) : 0;
  return [{ line: fault.place.line, from: fault.place.column + lead, to: Math.max(fault.place.end, fault.place.column + 1) + lead }];
}

export function badge(status: string): HTMLElement {
  const marks: Record<string, string> = { proved: "✓", agrees: "✓", refuted: "✗", rejected: "✗", approximation: "≈" };
  return h("span", { class: `badge ${status}` }, h("span", { "aria-hidden": "true" }, `${marks[status] ?? "?"} `), phrase(status));
}

export function busy(): HTMLElement {
  return h("p", { class: "busy" }, say("thinking"));
}

// ---------------------------------------------------------------- claims

// What became of a claim, below what it says.
export function claimBody(claim: Record<string, any>, why: Why): Child {
  return [
    claim.condition ? h("p", { class: "note" }, `${phrase("condition")}: `, claim.condition.includes("$") ? words(claim.condition) : maths(claim.condition)) : null,
    claim.counterexample.length ? h("div", { class: "counterexample" }, h("h4", { class: "label" }, phrase("counterexample")),
      h("table", {}, claim.counterexample.map(([name, value]: [string, string]) => h("tr", {}, h("th", { scope: "row" }, words(name)), h("td", {}, value && value === claim.entry ? say(claim.entryFrom ? "from1" : "from0", { entry: value }) : value))))) : null,
    claim.correct ? h("div", { class: "correct" }, h("p", { class: "label" }, phrase("correct_is")), maths(claim.correct, { display: true })) : null,
    claim.remark ? h("p", { class: "note", lang: claim.remarkLanguage ?? "en" }, claim.remark) : null,
    claim.proofs.some((proof: Chain) => proof.lines.length) ? h("details", { class: "claim-proof" }, h("summary", {}, say("showProof")), proofOf(claim.proofs, [], why)) : null,
  ];
}

// The rules of a line, from the book of rules.
export function rulesOf(engine: Engine): Why {
  return async (_, line) => {
    const pages = await Promise.all(line.rules.map((name) => engine.ask({ ask: "rule", name })));
    return pages.filter((page) => page.ok).map((page) => ({ rule: page.name, statement: page.statement, proof: page.proof, before: "", after: "" }));
  };
}

// ---------------------------------------------------------------- proofs

export function proofOf(chains: Chain[], names: Named[] = [], why?: Why): HTMLElement {
  return h("div", { class: "proof" }, chains.map((chain, number) => h("div", { class: "chain" },
    chain.intro ? h("p", { class: "chain-intro" }, words(chain.intro)) : null,
    chain.lines.map((line, k) => row(line, names, chain.checked && k === chain.lines.length - 1, why && line.rules.length ? () => why(`${number}.${k}`, line) : undefined)))));
}

function row(line: ProofLine, names: Named[], closes: boolean, why?: () => Promise<Step[]>): Child[] {
  const drawer = h("div", { class: "drawer", hidden: true });
  const reason = why
    ? reasonButton(line, names, drawer, why)
    : line.reason ? h("span", { class: "reason-text" }, words(line.reason, names)) : null;
  return [
    h("div", { class: line.left ? "row first" : "row" },
      h("div", { class: "left" }, line.left ? maths(line.left, { display: true, names }) : null),
      h("div", { class: "relation" }, line.relation ? maths(line.relation, { display: true }) : null),
      h("div", { class: "right" }, line.right.map((piece, k) => [h("span", { class: "piece" }, maths(k ? `{}${piece}` : piece, { display: true, names })), h("wbr")])),
      h("div", { class: "reason" }, reason, closes ? h("span", { class: "box", title: "∎" }, "□") : null)),
    why ? drawer : null,
  ];
}

function reasonButton(line: ProofLine, names: Named[], drawer: HTMLElement, why: () => Promise<Step[]>): HTMLElement {
  const label = line.reason || line.rules.join(", ");
  const button = h("button", { type: "button", class: "reason-button", "aria-expanded": "false", title: line.rules.join(", ") }, words(label, names));
  button.addEventListener("click", async () => {
    const open = drawer.hidden;
    drawer.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (!open || drawer.childElementCount) return;
    fill(drawer, busy());
    fill(drawer, (await why()).map(step));
  });
  return button;
}

function step(found: Step): HTMLElement {
  return h("section", { class: "step" },
    h("h4", {}, found.rule),
    found.statement.split(/\n\n/).map((paragraph) => h("p", { lang: "en" }, words(paragraph))),
    found.before && h("div", { class: "step-done" }, maths(found.before, { display: true }), h("span", { class: "arrow", "aria-label": say("becomes") }, "→"), maths(found.after, { display: true })),
    found.proof ? h("details", { class: "rule-proof" }, h("summary", {}, say("whyItHolds")), found.proof.split(/\n\n/).map((paragraph) => h("p", { lang: "en" }, words(paragraph)))) : null);
}

// ---------------------------------------------------------------- code

const PYTHON = /("""[\s\S]*?"""|"[^"\n]*"|'[^'\n]*')|(#[^\n]*)|\b(def|return|import|as|for|while|in|is|if|elif|else|from|not|and|or|lambda|with|try|except|finally|raise|class|None|True|False)\b|\b(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\b/g;

export function codeOf(source: string): HTMLElement {
  const parts: Child[] = [];
  let end = 0;
  for (const match of source.matchAll(PYTHON)) {
    parts.push(source.slice(end, match.index));
    const kind = match[1] ? "py-text" : match[2] ? "py-remark" : match[3] ? "py-word" : "py-number";
    parts.push(h("span", { class: kind }, match[0]));
    end = match.index + match[0].length;
  }
  parts.push(source.slice(end));
  return h("pre", { class: "code", tabindex: "0", lang: "en", "aria-label": say("code") }, h("code", {}, parts));
}
