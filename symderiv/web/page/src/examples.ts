// The built-in handouts and the cookbook, section by section; a search that wants all words.
import type { App } from "./app";
import { fill, h } from "./dom";
import { words } from "./maths";
import { busy } from "./shown";
import { say } from "./words";

interface Example { name: string; handout: string; heading: string; words: string; labels: string }

export class ExamplesView {
  readonly place: HTMLElement;
  private list = h("div", { class: "example-list" }, busy());
  private examples: Example[] = [];

  constructor(private app: App) {
    const search = h("input", { type: "search", id: "search", "aria-label": say("examples"), autocomplete: "off", oninput: () => this.show(search.value) });
    this.place = h("div", { class: "examples" }, h("section", { class: "card" }, search, this.list));
    void app.engine.ask({ ask: "examples", language: app.state.language }).then((answer) => {
      this.examples = answer.examples ?? [];
      search.placeholder = say("search", { count: this.examples.length });
      this.show(search.value);
    });
    queueMicrotask(() => search.focus());
  }

  private show(sought: string): void {
    const wanted = sought.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = this.examples.filter((e) => {
      const all = `${e.handout} ${e.heading} ${e.words} ${e.labels}`.toLowerCase();
      return wanted.every((word) => all.includes(word));
    });
    const handouts = [...new Set(fits.map((e) => e.handout))];
    fill(this.list, fits.length ? handouts.map((handout) => h("section", {},
      h("h2", { class: "label" }, words(handout)),
      h("ul", {}, fits.filter((e) => e.handout === handout).map((e) => this.entry(e))))) : h("p", { class: "note" }, say("noneFound")));
  }

  private entry(example: Example): HTMLElement {
    return h("li", {}, h("button", { type: "button", class: "example", onclick: () => void this.open(example.name) },
      h("span", { class: "example-heading" }, words(example.heading)),
      example.words ? h("span", { class: "example-words" }, words(example.words)) : null,
      h("span", { class: "example-labels" }, example.labels)));
  }

  private async open(name: string): Promise<void> {
    const answer = await this.app.engine.ask({ ask: "example", name, language: this.app.state.language });
    if (answer.ok) this.app.load({ view: "statements", text: answer.text });
  }
}
