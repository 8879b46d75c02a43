// Pieces that several views show: faults, proofs, code.
import { fill, h, type Child } from "./dom";
import type { Fault } from "./engine";
import type { Span } from "./editor";
import { maths, words, type Named } from "./maths";
import { phrase, say } from "./words";

export interface ProofLine { left: string; relation: string; right: string[]; reason: string; rules: string[] }
export interface Chain { lines: ProofLine[]; checked: boolean; intro: string; cites: string[] }
export interface Step { rule: string; statement: string; before: string; after: string }
export type Why = (place: string, line: ProofLine) => Promise<Step[]>;

export function faultBox(fault: Fault): HTMLElement {
  const { place } = fault;
  const line = place ? place.text.split("\n")[place.line - 1] ?? "" : "";
  return h("div", { class: "fault", role: "alert" },
    h("p", { class: "fault-said" }, fault.message),
    place && line.trim() ? h("pre", { class: "fault-place" }, line.slice(0, place.column), h("mark", {}, line.slice(place.column, place.end) || " "), line.slice(place.end)) : null,
    Object.entries(fault.shapes).length ? h("ul", { class: "fault-shapes" }, Object.entries(fault.shapes).map(([name, shape]) => h("li", {}, `${name}: `, h("code", {}, shape)))) : null,
    fault.hint ? h("p", { class: "fault-hint" }, `${say("hint")}: ${fault.hint}`) : null);
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
    found.before && h("div", { class: "step-done" }, maths(found.before, { display: true }), h("span", { class: "arrow", "aria-label": say("becomes") }, "→"), maths(found.after, { display: true })));
}

// ---------------------------------------------------------------- code

const PYTHON = /("""[\s\S]*?"""|"[^"\n]*"|'[^'\n]*')|(#[^\n]*)|\b(def|return|import|as|for|in|if|else|from|not|and|or|lambda|with|raise|None|True|False)\b|\b(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\b/g;

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
