import type { About, App } from "./app";
import { DeriveView } from "./derive";
import { announcer, fill, h } from "./dom";
import { LocalWorker, Server, type Engine, type Progress } from "./engine";
import { ExamplesView } from "./examples";
import { HomeworkView } from "./homework";
import { tooltip } from "./maths";
import { StatementsView } from "./statements";
import { fromFragment, toFragment, type State, type View } from "./state";
import { LANGUAGES, say, speak } from "./words";

const VIEWS: View[] = ["derive", "latex", "statements", "examples"];
const THEMES = ["auto", "light", "dark"];

class Page implements App {
  state: State;
  engine: Engine;
  about: About = { version: "", traits: [], square: [], words: {} };
  private own: string; // the language that the browser asks for
  private main = h("main", { id: "main", tabindex: "-1" });
  private head = h("header");
  private foot = h("footer");
  private loading = h("div", { class: "loading", hidden: true, role: "status" });

  constructor() {
    this.own = LANGUAGES.map(([code]) => code).find((code) => navigator.language.toLowerCase().startsWith(code)) ?? "en";
    this.state = fromFragment(location.hash, this.own);
    this.engine = document.documentElement.dataset.engine === "worker" ? new LocalWorker((progress) => this.progress(progress)) : new Server();
    speak(this.state.language, {});
    this.theme(this.storedTheme());
    document.body.append(h("a", { class: "skip", href: "#main", onclick: (event: Event) => { event.preventDefault(); this.main.focus(); } }, say("skip")), this.head, this.loading, this.main, this.foot, announcer(), tooltip());
    addEventListener("hashchange", () => { if (location.hash.slice(1) !== toFragment(this.state, this.own)) { this.state = fromFragment(location.hash, this.own); void this.speak(); } });
    void this.speak(this.engine.kind === "server"); // asked first: a view that is drawn meanwhile asks after it
    if (this.engine.kind === "worker") this.draw();
  }

  // The traits and the words of mathematics come from the engine; the page is there before them.
  private async speak(drawing = true): Promise<void> {
    const about = await this.engine.ask({ ask: "about", language: this.state.language }).catch(() => ({ ok: false }) as const);
    if (about.ok) this.about = about as unknown as About;
    speak(this.state.language, this.about.words);
    if (drawing) this.draw();
  }

  save(): void {
    const fragment = toFragment(this.state, this.own);
    history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
  }

  show(view: View): void {
    this.state.view = view;
    this.save();
    this.draw();
  }

  load(change: Partial<State>): void {
    Object.assign(this.state, change);
    this.save();
    this.draw();
    scrollTo(0, 0);
  }

  private draw(): void {
    document.documentElement.lang = this.state.language;
    const names: Record<View, string> = { derive: say("derive"), latex: say("checkLatex"), statements: say("statements"), examples: say("examples") };
    document.title = `symderiv: ${names[this.state.view]}`;
    const languages = h("select", { "aria-label": say("language"), onchange: (event: Event) => { this.state.language = (event.target as HTMLSelectElement).value; this.save(); void this.speak(); } },
      LANGUAGES.map(([code, name]) => h("option", { value: code, lang: code, selected: code === this.state.language }, name)));
    fill(this.head,
      h("div", { class: "brand" }, h("h1", {}, h("a", { href: "#", onclick: (event: Event) => { event.preventDefault(); this.load({ view: "derive" }); } }, "symderiv")), h("p", {}, say("tagline"))),
      h("nav", { "aria-label": "symderiv" }, VIEWS.map((view) => h("button", { type: "button", "aria-current": view === this.state.view ? "page" : null, onclick: () => this.show(view) }, names[view]))),
      h("div", { class: "settings" }, languages,
        h("select", { "aria-label": say("theme"), onchange: (event: Event) => this.theme((event.target as HTMLSelectElement).value) },
          THEMES.map((theme) => h("option", { value: theme, selected: theme === this.storedTheme() }, say(theme as "auto"))))));
    const View = { derive: DeriveView, latex: HomeworkView, statements: StatementsView, examples: ExamplesView }[this.state.view];
    fill(this.main, new View(this).place);
    const served = this.engine.kind === "server";
    fill(this.foot,
      h("p", {}, served ? (say("served", { version: this.about.version }).replace(/ +([.が])/, "$1")) : [say("local"), " ", say("localLimits")], say("staysEnglish") ? ` ${say("staysEnglish")}` : null),
      h("p", {}, h("a", { href: "licences.txt" }, say("licences"))));
  }

  private progress({ part, done, all }: Progress): void {
    if (part === "failed") return fill(this.loading, say("loadFailed"));
    this.loading.hidden = part === "ready";
    fill(this.loading, h("span", {}, `${say("loading")}: ${part}`), h("progress", { max: 1, value: all ? done / all : 0, "aria-label": say("loading") }));
  }

  // -- colours

  private storedTheme(): string {
    try {
      return localStorage.getItem("symderiv-theme") ?? "auto";
    } catch {
      return "auto";
    }
  }

  private theme(theme: string): void {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("symderiv-theme", theme);
    } catch {
      // a browser that keeps nothing: the choice holds as long as the page
    }
  }
}

new Page();
