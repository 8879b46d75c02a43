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
  document.addEventListener("pointerdown", (event) => { if (!(event.target as Element).closest?.("[data-name]")) tip.hidden = true; });
  return tip;
}

function mark(place: HTMLElement, names: Named[]): void {
  for (const element of place.querySelectorAll<HTMLElement>(".katex-html [data-name]")) {
    const named = names[Number(element.dataset.name)];
    if (!named) continue;
    element.classList.add("named");
    const show = () => tell(element, named);
    element.addEventListener("pointerenter", show);
    element.addEventListener("pointerdown", show);
    element.addEventListener("pointerleave", () => { tip.hidden = true; });
  }
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
