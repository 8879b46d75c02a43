// What all views share: the state, the engine, and the questions about the expression at hand.
import type { Answer, Engine } from "./engine";
import type { State } from "./state";

export interface About { version: string; traits: string[]; square: string[]; words: Record<string, string> }

export interface App {
  state: State;
  engine: Engine;
  about: About;
  save(): void;
  show(view: State["view"]): void;
  load(change: Partial<State>): void;
}

export interface Variable { name: string; shape: string; guessed: boolean; square: boolean }

// The expression with all that is said of it: the same for every question about it.
export function subject(state: State): Record<string, unknown> {
  const { expr, wrt, shapes, assume, structured } = state;
  return { expr, wrt, shapes, assume, structured };
}

// Runs the newest of several questions: an answer that came too late is none.
export class Latest {
  private controller: AbortController | null = null;
  private timer = 0;

  constructor(private app: App) {}

  async ask(question: { ask: string } & Record<string, unknown>): Promise<Answer | null> {
    this.controller?.abort();
    const own = (this.controller = new AbortController());
    try {
      const answer = await this.app.engine.ask(question, own.signal);
      return own.signal.aborted ? null : answer;
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return null;
      throw error;
    }
  }

  cancel(): void {
    this.controller?.abort();
  }

  after(milliseconds: number, run: () => void): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(run, milliseconds);
  }
}
