// The page behind `symderiv serve`.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, missing, serve } from "./house.mjs";
import * as visits from "./visits.mjs";

let browser, server;
const skip = missing;
before(async () => { if (!skip) [browser, server] = await Promise.all([launch(), serve()]); });
after(async () => { await browser?.close(); await server?.stop(); });

test("a new user, from a loss to code that runs", { skip }, () => visits.newUser(browser, server.address));
test("a derivation in LaTeX, equality by equality", { skip }, () => visits.latex(browser, server.address));
test("German and Japanese", { skip }, () => visits.languages(browser, server.address));
test("a link brings everything back", { skip }, () => visits.permalink(browser, server.address));
test("blocks, examples and their rules", { skip }, () => visits.statements(browser, server.address));
test("keys alone, and names for everything", { skip }, () => visits.keyboard(browser, server.address));
test("nothing typed becomes markup", { skip }, () => visits.hostile(browser, server.address));
test("pictures at both widths in both colours", { skip }, () => visits.pictures(browser, server.address, "served"));

test("fifty slow questions leave the page answering", { skip, timeout: 240_000 }, async () => {
  const ask = (question) => fetch(`${server.address}ask`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(question) });
  const term = (k) => `norm(W${k} @ tanh(W${k} @ tanh(W${k} @ x + 1)))**2`;
  const expr = Array.from({ length: 12 }, (_, k) => term(k)).join(" + ");
  const third = (k) => ({ ask: "proof", expr: `${expr} + ${k}`, wrt: ["x", "x", "x"] });
  const chain = (k) => ({ ask: "homework", given: `f = ${expr} + ${k}`, text: String.raw`\frac{\partial^3 f}{\partial x_i \partial x_j \partial x_k} = \frac{\partial^3 f}{\partial x_j \partial x_i \partial x_k}` });
  const slow = Array.from({ length: 50 }, (_, k) => ask(k % 2 ? third(k) : chain(k)).then((r) => r.json()));
  await new Promise((resume) => setTimeout(resume, 500));
  let worst = 0, answered = 0;
  for (let k = 0; k < 20; k += 1) {
    let start = performance.now();
    assert.equal((await fetch(server.address)).status, 200);
    worst = Math.max(worst, performance.now() - start);
    const answer = await ask({ ask: "derive", expr: `norm(X @ w - y)**2 + ${k} * w @ w`, wrt: ["w"] });
    answered += Number(answer.status === 200);
    await new Promise((resume) => setTimeout(resume, 100));
  }
  assert.ok(worst < 2000, `the page took ${worst} ms`);
  assert.ok(answered >= 15, `${answered} of 20 questions were answered`);
  for (const answer of await Promise.all(slow)) assert.ok(answer.ok || answer.busy || answer.late, JSON.stringify(answer).slice(0, 200));
});
