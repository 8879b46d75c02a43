// Mathematics by KaTeX, for eyes and (as MathML) for screen readers; names in it tell what they stand for.
import katex from "katex";
import { h, fill, type Child } from "./dom";

export interface Named { name: string; kind: string; shape: string; text: string; traits: string; latex: string }

const MACROS = { "\\bm": "\\boldsymbol{#1}" };

export function maths(latex: string, options: { display?: boolean; names?: Named[] } = {}): HTMLElement {
  const place = h("span", { class: options.display ? "maths shown" : "maths" });
  try {
    katex.render(options.display ? `\\displaystyle ${latex}` : latex, place, {
      throwOnError: true, strict: false, output: "htmlAndMathml", macros: { ...MACROS }, maxExpand: 500, maxSize: 60,
      trust: (context) => context.command === "\\htmlData",
    });
  } catch {
    fill(place, h("code", {}, latex));
  }
  if (options.names) mark(place, options.names);
  return place;
}

// Words with `$…$` mathematics and `…` code in them; emphasis and links of Markdown are left out.
export function words(text: string, names?: Named[]): Child[] {
  return text.split(/(\$\$?[^$]+\$\$?|`[^`]+`)/).map((part): Child => {
    if (part.startsWith("$")) return maths(part.replace(/^\$+|\$+$/g, ""), { names });
    if (part.startsWith("`") && part.length > 1) return h("code", {}, part.slice(1, -1));
    return part.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/(\*\*?|__)(\S(?:.*?\S)?)\1/g, "$2");
  });
}

// ---------------------------------------------------------------- what a name stands for

const tip = h("div", { class: "tip", role: "tooltip", id: "tip", hidden: true });

export function tooltip(): HTMLElement {
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true, capture: true });
  document.addEventListener("pointerdown", (event) => { if (!(event.target as Element).closest?.(".maths")) tip.hidden = true; });
  return tip;
}

// Fractions and sums lay boxes over each other, so that the name under the pointer is found by where it stands.
function mark(place: HTMLElement, names: Named[]): void {
  const found = [...place.querySelectorAll<HTMLElement>(".katex-html [data-name]")].filter((element) => names[Number(element.dataset.name)]);
  if (!found.length) return;
  for (const element of found) element.classList.add("named");
  let shown: HTMLElement | undefined;
  const point = (next: HTMLElement | undefined) => {
    if (next === shown) return;
    shown?.classList.remove("pointed");
    shown = next;
    place.classList.toggle("on-name", next !== undefined);
    next?.classList.add("pointed");
    if (next) tell(next, names[Number(next.dataset.name)]!);
    else tip.hidden = true;
  };
  const under = (event: PointerEvent) => point(found.find((element) => holds(element, event.clientX, event.clientY)));
  place.addEventListener("pointermove", under);
  place.addEventListener("pointerdown", under);
  place.addEventListener("pointerleave", () => point(undefined));
}

function holds(element: HTMLElement, x: number, y: number): boolean {
  return [...element.getClientRects()].some((box) => box.left <= x && x <= box.right && box.top <= y && y <= box.bottom);
}

function tell(element: HTMLElement, named: Named): void {
  fill(tip, maths(named.latex), h("span", { class: "tip-shape" }, [named.kind === "var" ? "" : named.shape, named.traits].filter(Boolean).join(" · ")));
  tip.hidden = false;
  const box = element.getBoundingClientRect();
  const width = tip.offsetWidth, height = tip.offsetHeight;
  const left = Math.max(8, Math.min(box.left + box.width / 2 - width / 2, innerWidth - width - 8));
  const above = box.top - height - 8;
  tip.style.left = `${left}px`;
  tip.style.top = `${above > 8 ? above : box.bottom + 8}px`;
}
