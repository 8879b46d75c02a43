// node compile.mjs PYODIDE SOURCES TARGET: byte code by the very Python that will run it.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [, , runtime, sources, target] = process.argv;
try {
  const { loadPyodide } = await import(pathToFileURL(join(runtime, "pyodide.mjs")));
  const python = await loadPyodide({ indexURL: runtime + "/" });
  for (const [place, folder] of [["/runtime", runtime], ["/sources", sources], ["/target", target]]) {
    python.FS.mkdir(place);
    python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, place);
  }
  python.runPython(readFileSync(join(dirname(fileURLToPath(import.meta.url)), "compile.py"), "utf8"));
  console.log(python.runPython(`build("/sources", "/target", "/runtime/python_stdlib.zip")`));
} catch (error) {
  console.error(String(error.message ?? error).slice(-4000));
  process.exitCode = 1;
}
