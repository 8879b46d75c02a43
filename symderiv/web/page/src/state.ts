// What the page is about. All of it stands in the fragment of the address, so that a link brings it back.

export type View = "derive" | "latex" | "statements" | "examples";
export type Tab = "proof" | "check" | "code" | "graph";

export interface State {
  view: View; tab: Tab; language: string; detail: string; layout: string;
  expr: string; wrt: string[]; shapes: Record<string, string>; assume: Record<string, string[]>; structured: boolean;
  claim: string; text: string; latex: string; given: string;
}

const LONGEST = 8000; // characters of a fragment; longer texts are not put into it

export function initial(language: string): State {
  return {
    view: "derive", tab: "proof", language, detail: "normal", layout: "array", expr: "", wrt: [], shapes: {}, assume: {},
    structured: false, claim: "", text: "", latex: "", given: "",
  };
}

function oneOf<T extends string>(value: string | null, known: readonly T[], otherwise: T): T {
  return known.includes(value as T) ? (value as T) : otherwise;
}

export function fromFragment(fragment: string, language: string): State {
  const state = initial(language);
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  state.view = oneOf(given.get("view"), ["derive", "latex", "statements", "examples"] as const, "derive");
  state.tab = oneOf(given.get("tab"), ["proof", "check", "code", "graph"] as const, "proof");
  state.language = oneOf(given.get("lang"), ["en", "de", "ja"] as const, language as "en");
  state.detail = oneOf(given.get("detail"), ["brief", "normal", "full"] as const, "normal");
  state.layout = oneOf(given.get("layout"), ["array", "numerator", "denominator"] as const, "array");
  state.expr = given.get("f") ?? "";
  state.claim = given.get("claim") ?? "";
  state.text = given.get("text") ?? "";
  state.latex = given.get("latex") ?? "";
  state.given = given.get("given") ?? "";
  state.structured = given.get("structured") === "1";
  state.wrt = (given.get("d") ?? "").split(",").filter(Boolean).slice(0, 8);
  for (const entry of given.getAll("shape")) {
    const [name, ...rest] = entry.split(":");
    if (name && rest.length) state.shapes[name.trim()] = rest.join(":").trim();
  }
  for (const entry of given.getAll("assume")) {
    const [name, rest] = entry.split(":");
    if (name && rest) state.assume[name.trim()] = rest.split(",").map((word) => word.trim()).filter(Boolean);
  }
  return state;
}

export function toFragment(state: State, language: string): string {
  const said = new URLSearchParams();
  const put = (key: string, value: string, usual = "") => { if (value !== usual) said.append(key, value); };
  put("view", state.view, "derive");
  put("f", state.expr);
  put("d", state.wrt.join(","));
  for (const [name, shape] of Object.entries(state.shapes)) put("shape", `${name}: ${shape}`);
  for (const [name, traits] of Object.entries(state.assume)) if (traits.length) put("assume", `${name}: ${traits.join(",")}`);
  if (state.structured) put("structured", "1");
  put("tab", state.tab, "proof");
  put("detail", state.detail, "normal");
  put("layout", state.layout, "array");
  put("claim", state.claim);
  put("text", state.text);
  put("latex", state.latex);
  put("given", state.given);
  put("lang", state.language, language);
  const found = said.toString();
  return found.length > LONGEST ? "" : found;
}
