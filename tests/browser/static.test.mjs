// The static folder of `symderiv site`: Python in the browser, and not one request beyond the folder.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { PYTHON, ROOT, launch, missing, open, scratch, serveFolder } from "./house.mjs";
import * as visits from "./visits.mjs";

let browser, server, place;
const skip = missing;
const timeout = 600_000;
before(async () => {
  if (skip) return;
  place = scratch();
  const folder = process.env.SITE ?? join(place.folder, "site");
  if (!process.env.SITE) {
    const built = spawnSync(PYTHON, ["-m", "symderiv", "site", "-o", folder], { cwd: ROOT, env: { ...process.env, PYTHONPATH: ROOT }, encoding: "utf8" });
    assert.equal(built.status, 0, built.stderr);
    console.log(built.stdout);
  }
  [browser, server] = await Promise.all([launch(), serveFolder(folder)]);
}, { timeout });
after(async () => { await browser?.close(); await server?.stop(); place?.remove(); });

test("the page can be used while Python loads, which is told", { skip, timeout }, async () => {
  const { page, context, faults } = await open(browser, server.address);
  await page.locator(".starts").waitFor({ timeout: 5000 });
  await page.locator(".loading progress").waitFor({ timeout: 5000 });
  await page.keyboard.type("x @ x");
  assert.match(await page.locator(".ask .cm-content").innerText(), /x @ x/);
  const start = performance.now();
  await page.locator(".closed", { hasText: "2 * x" }).waitFor({ timeout: 120_000 });
  console.log(`cold: ${((performance.now() - start) / 1000).toFixed(1)} s to the first answer`);
  await page.locator(".loading").waitFor({ state: "hidden" });
  const again = performance.now();
  await page.reload();
  await page.locator(".closed", { hasText: "2 * x" }).waitFor({ timeout: 120_000 });
  console.log(`warm: ${((performance.now() - again) / 1000).toFixed(1)} s`);
  assert.match(await page.locator("footer").innerText(), /nothing you type leaves it/);
  assert.deepEqual(faults, []);
  await context.close();
});
test("a new user, from a loss to code that runs", { skip, timeout }, () => visits.newUser(browser, server.address));
test("a derivation in LaTeX, equality by equality", { skip, timeout }, () => visits.latex(browser, server.address));
test("German and Japanese", { skip, timeout }, () => visits.languages(browser, server.address));
test("a link brings everything back", { skip, timeout }, () => visits.permalink(browser, server.address));
test("blocks, examples and their rules", { skip, timeout }, () => visits.statements(browser, server.address));
test("nothing typed becomes markup", { skip, timeout }, () => visits.hostile(browser, server.address));
