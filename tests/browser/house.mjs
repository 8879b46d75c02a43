// What the browser tests share: a browser, a server of the package, a server of a folder, screenshots.
import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
export const PYTHON = process.env.PYTHON ?? "python3";
const SHOTS = process.env.SCREENSHOTS;
const BROWSERS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const executable = BROWSERS.find((path) => path && existsSync(path));
export const missing = executable ? false : "no Chromium is installed (CHROMIUM=… names one)";

export async function launch() {
  const { chromium } = createRequire(join(ROOT, "symderiv", "web", "page", "package.json"))("playwright-core");
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: executable, args: [...QUIET, ...sandbox] });
}

export function scratch() {
  const folder = mkdtempSync(join(tmpdir(), "symderiv-page-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

// The package's own server, at a port that is free.
export function serve() {
  const server = spawn(PYTHON, ["-m", "symderiv", "serve", "--port", "0", "--no-browser"], { cwd: ROOT, env: { ...process.env, PYTHONPATH: ROOT } });
  return new Promise((resolve, reject) => {
    let said = "";
    const listen = (data) => {
      said += data;
      const address = said.match(/http:\/\/\S+/)?.[0];
      if (address) resolve({ address, stop: () => new Promise((done) => { server.once("exit", done); server.kill("SIGINT"); }) });
    };
    server.stdout.on("data", listen);
    server.stderr.on("data", listen);
    server.once("exit", () => reject(new Error(`the server ended: ${said}`)));
  });
}

const KINDS = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm", ".svg": "image/svg+xml" };

// A folder as any static host hands it out.
export function serveFolder(folder) {
  const server = createServer((request, response) => {
    const path = join(folder, normalize(decodeURIComponent(new URL(request.url, "http://x").pathname)));
    const file = existsSync(path) && statSync(path).isDirectory() ? join(path, "index.html") : path;
    if (!file.startsWith(folder) || !existsSync(file)) return response.writeHead(404).end();
    const { mtimeMs, size } = statSync(file);
    const tag = `"${size}-${mtimeMs}"`;
    if (request.headers["if-none-match"] === tag) return response.writeHead(304, { etag: tag }).end();
    response.writeHead(200, { "content-type": KINDS[extname(file)] ?? "application/octet-stream", etag: tag, "cache-control": "max-age=600" });
    response.end(readFileSync(file));
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve({
    address: `http://127.0.0.1:${server.address().port}/`,
    stop: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }),
  })));
}

const REFUSED = /status of (400|503)/; // a question that is none; a server that is busy

// A page on which every error, and every request that leaves its origin, is a fault.
export async function open(browser, address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, permissions: ["clipboard-read", "clipboard-write"], ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => { if (message.type() === "error" && !REFUSED.test(message.text())) faults.push(message.text()); });
  page.on("dialog", (dialog) => { faults.push(`dialog: ${dialog.message()}`); void dialog.dismiss(); });
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (!["data:", "blob:"].includes(url.protocol) && url.origin !== new URL(address).origin) faults.push(`left: ${url.href}`);
  });
  await page.goto(address);
  return { page, context, faults };
}

export async function type(page, text, editor = ".ask .cm-content") {
  await page.locator(editor).click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(text);
}

// As from a clipboard, in one piece: typing would indent by itself.
export async function paste(page, text, editor) {
  await page.locator(editor).locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText(text);
}

export async function shot(page, name) {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

// What was copied, as a person goes on with it: pasted into a script, and run.
export function runPython(source) {
  const { folder, remove } = scratch();
  try {
    writeFileSync(join(folder, "pasted.py"), source);
    const done = spawnSync(PYTHON, ["pasted.py"], { cwd: folder, encoding: "utf8" });
    if (done.status !== 0) throw new Error(done.stderr);
    return done.stdout;
  } finally {
    remove();
  }
}

// Follows the gradient with the copied function, and holds it against central differences.
export const TRY_OUT = `
rng = np.random.default_rng(0)
X, w, y = rng.standard_normal((6, 3)), rng.standard_normal(3), rng.standard_normal(6)
value, slope = value_and_derivative(X=X, w=w, y=y)
h = 1e-6
differences = [(value_and_derivative(X=X, w=w + h * e, y=y)[0] - value_and_derivative(X=X, w=w - h * e, y=y)[0]) / (2 * h) for e in np.eye(3)]
assert np.allclose(slope, differences, rtol=1e-5), (slope, differences)
for _ in range(500):
    w = w - 0.02 * value_and_derivative(X=X, w=w, y=y)[1]
assert np.linalg.norm(value_and_derivative(X=X, w=w, y=y)[1]) < 1e-3 * np.linalg.norm(slope)
print("agrees")
`;
