// Bundles the page into ../assets: script, style, fonts, the worker of the static form. Needs nothing from the network.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const assets = process.argv[2] ?? join(here, "..", "assets");
const katex = join(here, "node_modules", "katex", "dist");

// Fonts that mathematics of this page is never set in.
const UNUSED = /KaTeX_(Fraktur|SansSerif|Script|Typewriter)/;

rmSync(assets, { recursive: true, force: true });
mkdirSync(join(assets, "fonts"), { recursive: true });

const shared = { bundle: true, minify: true, format: "esm", target: ["es2022"], legalComments: "none", logLevel: "warning" };
await build({ ...shared, entryPoints: [join(here, "src", "main.ts")], outfile: join(assets, "page.js") });
await build({ ...shared, entryPoints: [join(here, "src", "worker.ts")], outfile: join(assets, "worker.js"), external: ["./pyodide/pyodide.mjs"] });
await build({ ...shared, entryPoints: [join(here, "src", "style.css")], outfile: join(assets, "page.css") });

const faces = readFileSync(join(katex, "katex.css"), "utf8")
  .replace(/@font-face\s*{[^}]*}/g, (face) => (UNUSED.test(face) ? "" : face.replace(/,\s*url\([^)]*\.(woff|ttf)\) format\("[a-z0-9]+"\)/g, "")));
writeFileSync(join(assets, "katex.source.css"), faces);
await build({ ...shared, entryPoints: [join(assets, "katex.source.css")], outfile: join(assets, "katex.css"), external: ["*.woff2"] });
rmSync(join(assets, "katex.source.css"));
for (const name of readdirSync(join(katex, "fonts"))) {
  if (name.endsWith(".woff2") && !UNUSED.test(name)) cpSync(join(katex, "fonts", name), join(assets, "fonts", name));
}
for (const name of ["index.html", "icon.svg"]) cpSync(join(here, "src", name), join(assets, name));

// What is built in keeps its licences.
const packages = ["katex", "@codemirror/state", "@codemirror/view", "@codemirror/commands", "@codemirror/language", "@lezer/common",
  "@lezer/highlight", "@lezer/lr", "@marijn/find-cluster-break", "crelt", "style-mod", "w3c-keyname", "@dagrejs/dagre"];
const licences = packages.map((name) => {
  const folder = join(here, "node_modules", name);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return `${name} ${version}\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : "MIT"}\n`;
});
writeFileSync(join(assets, "licences.txt"), licences.join("\n" + "-".repeat(80) + "\n\n"));
