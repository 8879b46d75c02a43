// Python in a worker: loads it piece by piece, telling how far it is, then answers one question after another.
// Everything comes from the folder of the page.

interface Python {
  FS: { mkdir(path: string): void; writeFile(path: string, data: Uint8Array): void };
  runPython(code: string): any;
  globals: { get(name: string): any };
}

const FOLDER = "pyodide/";
const ARCHIVES = "/lib/symderiv-archives";
const START = `
import json, sys
sys.dont_write_bytecode = True
sys.setrecursionlimit(1500)
sys.path[:0] = ["${ARCHIVES}/own.zip", "${ARCHIVES}/lib.zip"]
from symderiv.web.arrays import stand_in
stand_in()
from symderiv.web.answers import answer
def answered(text):
    try:
        return json.dumps(answer(json.loads(text)))
    except Exception as err:
        said = {"kind": "Defect", "message": f"unexpected {type(err).__name__}: {err}", "hint": "please report it", "shapes": {}, "place": None}
        return json.dumps({"ok": False, "error": said})
`;

function tell(part: string, done: number, all: number): void {
  postMessage({ progress: { part, done, all } });
}

// Bytes of several files as they come, one count for all of them.
class Loading {
  private done = 0;

  constructor(private all: number) {}

  add(bytes: number, part: string): void {
    this.done = Math.min(this.all, this.done + bytes);
    tell(part, this.done, this.all);
  }

  async file(name: string, part: string): Promise<ArrayBuffer> {
    const response = await fetch(FOLDER + name);
    if (!response.ok || !response.body) throw new Error(`${name}: ${response.status}`);
    const pieces: Uint8Array[] = [];
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      this.add(value.length, part);
    }
    return new Blob(pieces as BlobPart[]).arrayBuffer();
  }
}

async function load(): Promise<Python> {
  tell("Python", 0, 1);
  // @ts-expect-error: the file stands beside the built page, not beside this source
  const loader = import("./pyodide/pyodide.mjs");
  const sizes = (await (await fetch(`${FOLDER}sizes.json`)).json()) as Record<string, number>;
  const size = (name: string) => sizes[FOLDER + name] ?? 0;
  const runtime = size("pyodide.asm.wasm") + size("python_stdlib.zip") + size("pyodide.asm.mjs");
  const loading = new Loading(runtime + size("lib.zip") + size("own.zip"));
  const { loadPyodide } = await loader;
  const base = new URL(FOLDER, self.location.href).href;
  const [python, lib, own] = await Promise.all([
    loadPyodide({ indexURL: base, packageBaseUrl: base }).then((found: Python) => { loading.add(runtime, "Python"); return found; }),
    loading.file("lib.zip", "SymPy"),
    loading.file("own.zip", "symderiv"),
  ]);
  tell("symderiv", 1, 1);
  python.FS.mkdir(ARCHIVES);
  python.FS.writeFile(`${ARCHIVES}/lib.zip`, new Uint8Array(lib));
  python.FS.writeFile(`${ARCHIVES}/own.zip`, new Uint8Array(own));
  python.runPython(START);
  return python;
}

// Questions may be asked before Python is there: they wait in the order in which they came.
const loaded = load();
loaded.then(
  () => { tell("ready", 1, 1); postMessage({ ready: true }); },
  (error) => { console.error(error); tell("failed", 0, 0); },
);

self.onmessage = async ({ data }: MessageEvent) => {
  const python = await loaded;
  postMessage({ answer: JSON.parse(python.globals.get("answered")(JSON.stringify(data))) });
};
