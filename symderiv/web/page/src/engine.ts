// The one question-and-answer interface, with two engines behind it: a server, or Python in a worker of this browser.
import { say } from "./words";

export interface Place { text: string; line: number; column: number; end: number; source: string }
export interface Fault { kind: string; message: string; hint: string; shapes: Record<string, string>; place: Place | null; own?: boolean }
export type Answer = { ok: boolean; error?: Fault } & Record<string, any>;
export type Question = { ask: string } & Record<string, unknown>;

export interface Progress { part: string; done: number; all: number }

export interface Engine {
  kind: "server" | "worker";
  ask(question: Question, signal?: AbortSignal): Promise<Answer>;
  stop(): void;
}

export function fault(message: string, hint = ""): Answer {
  return { ok: false, error: { kind: "Unreachable", message, hint, shapes: {}, place: null, own: true } };
}

// What the server itself says, and not the engine, is said in the language of the page.
function inOwnWords(answer: Answer): Answer {
  if (answer.busy) return { ...answer, ...fault(say("tooMany"), say("comeAgain")) };
  if (answer.late) return { ...answer, ...fault(say("tooLate"), say("takeLess")) };
  return answer;
}

export class Server implements Engine {
  readonly kind = "server";
  private running = new Set<AbortController>();

  async ask(question: Question, signal?: AbortSignal): Promise<Answer> {
    for (let turn = 0; ; turn += 1) {
      const own = new AbortController();
      signal?.addEventListener("abort", () => own.abort(), { once: true });
      this.running.add(own);
      try {
        const response = await fetch("ask", {
          method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(question), signal: own.signal,
        });
        if (response.status === 503 && turn < 4) {
          await new Promise((resume) => setTimeout(resume, 400 * 2 ** turn));
          continue;
        }
        return inOwnWords(await response.json());
      } catch (error) {
        if (own.signal.aborted) throw new DOMException("left", "AbortError");
        return fault(say("unreachable"), say("stillRunning"));
      } finally {
        this.running.delete(own);
      }
    }
  }

  stop(): void {
    for (const own of this.running) own.abort();
  }
}

interface Waiting { question: Question; resolve: (answer: Answer) => void; reject: (error: unknown) => void }

// One question at a time: what nobody waits for any more is left out before it is begun.
export class LocalWorker implements Engine {
  readonly kind = "worker";
  private worker!: Worker;
  private ready!: Promise<void>;
  private waiting: Waiting[] = [];
  private running: Waiting | null = null;

  constructor(private onprogress: (progress: Progress) => void) {
    this.begin();
  }

  private begin(): void {
    this.worker = new Worker("worker.js", { type: "module" });
    this.ready = new Promise((resolve) => {
      this.worker.onmessage = ({ data }) => {
        if (data.progress) this.onprogress(data.progress);
        else if (data.ready) resolve();
        else this.finish(data.answer);
      };
      this.worker.onerror = (event) => {
        event.preventDefault();
        this.onprogress({ part: "failed", done: 0, all: 0 });
        this.finish(fault(say("loadFailed")));
      };
    });
  }

  ask(question: Question, signal?: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const entry = { question, resolve, reject };
      signal?.addEventListener("abort", () => {
        this.waiting = this.waiting.filter((other) => other !== entry);
        reject(new DOMException("left", "AbortError"));
      }, { once: true });
      this.waiting.push(entry);
      void this.next();
    });
  }

  private async next(): Promise<void> {
    await this.ready;
    if (this.running) return;
    const entry = this.waiting.shift();
    if (!entry) return;
    this.running = entry;
    this.worker.postMessage(entry.question);
  }

  private finish(answer: Answer): void {
    const entry = this.running;
    this.running = null;
    entry?.resolve(answer);
    void this.next();
  }

  // What runs cannot be interrupted from outside, so that it is ended, and Python is loaded again.
  stop(): void {
    this.worker.terminate();
    const entry = this.running;
    this.running = null;
    entry?.reject(new DOMException("stopped", "AbortError"));
    this.begin();
    void this.next();
  }
}
