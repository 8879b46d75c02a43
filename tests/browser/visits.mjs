// Visits that both forms of the page have to stand: the same steps, whichever engine is behind it.
import assert from "node:assert/strict";
import { TRY_OUT, open, paste, runPython, shot, type } from "./house.mjs";

const LEAST = "norm(X @ w - y)**2";
const WAIT = { timeout: 90_000 };

// A new user: from "what is the gradient of my loss" to code in a script that runs.
export async function newUser(browser, address) {
  const { page, context, faults } = await open(browser, address);
  await page.getByRole("button", { name: "least squares" }).waitFor(WAIT);
  await type(page, LEAST);
  await page.locator(".closed", { hasText: "2 * X.T @ (X @ w - y)" }).waitFor(WAIT);
  assert.equal(await page.locator("#shape-X").inputValue(), "(n, p)");
  assert.equal(await page.locator("#shape-w").inputValue(), "(p,)");

  await page.locator(".proof .row").first().waitFor(WAIT);
  await page.getByText("every one checked by the kernel").waitFor(WAIT);
  const below = await page.locator(".formula .named", { hasText: "w" }).first().boundingBox(); // the w under a ∂
  await page.mouse.move(below.x + below.width / 2, below.y + below.height / 2);
  await page.locator("#tip", { hasText: "p" }).waitFor(WAIT);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#tip").isVisible(), false);
  const reasons = page.locator(".reason-button");
  const short = await reasons.count();
  assert.ok(short >= 6, `${short} reasons`);
  const contract = reasons.filter({ hasText: "contract" }).first();
  await contract.click();
  await page.locator(".drawer:visible .step h4", { hasText: "contract" }).waitFor(WAIT);
  assert.match(await page.locator(".drawer:visible").innerText(), /of the terms of the sum over j, one is left/);
  await page.locator(".drawer:visible .rule-proof summary").first().click();
  await page.locator(".drawer:visible .rule-proof p").first().waitFor(WAIT);
  await page.getByText("Every step", { exact: true }).click();
  await page.waitForFunction((before) => document.querySelectorAll(".reason-button").length > before, short, WAIT);

  await page.getByRole("tab", { name: "Check my answer" }).click();
  await type(page, "X.T @ (X @ w - y)", ".claiming .cm-content");
  await page.keyboard.press("Enter");
  await page.locator(".outcome.refuted").waitFor(WAIT);
  assert.match(await page.locator(".counterexample").innerText(), /your answer says/);
  await type(page, "2 * X.T @ (X @ w - y)", ".claiming .cm-content");
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await page.locator(".outcome.proved", { hasText: "every step checked" }).waitFor(WAIT);

  await page.getByRole("tab", { name: "Code" }).click();
  await page.locator("pre.code", { hasText: "def value_and_derivative" }).waitFor(WAIT);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor(WAIT);
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(runPython(copied + TRY_OUT).trim(), "agrees");

  await page.getByRole("tab", { name: "Graph" }).click();
  await page.locator(".graph-node").nth(4).waitFor(WAIT);
  assert.equal(await page.locator(".graph-line.back").count(), 2);
  assert.deepEqual(faults, []);
  await context.close();
}

const DERIVATION = String.raw`\frac{\partial f}{\partial w_k}
  &= \sum_i 2 (X w - y)_i \frac{\partial (X w - y)_i}{\partial w_k} && \text{chain rule} \\
  &= \sum_i 2 (X w - y)_i X_{ik} \\
  &= (X^\top (X w - y))_k`;

// A derivation in LaTeX as it stands in one's notes, mended where it is wrong; LaTeX as the expression and as the answer.
export async function latex(browser, address) {
  const { page, context, faults } = await open(browser, address);
  await page.getByRole("button", { name: "Check LaTeX" }).click();
  await paste(page, DERIVATION, ".homework .editor >> nth=0");
  await paste(page, "f = norm(X @ w - y)**2", ".homework .editor >> nth=1");
  await page.locator(".claim.refuted").waitFor(WAIT);
  await page.locator(".summary", { hasText: "Equality 3 is the first wrong one." }).waitFor(WAIT);
  assert.equal(await page.locator(".claim.proved").count(), 2);
  assert.match(await page.locator(".guesses").innerText(), /X: \(n, p\)/);
  assert.match(await page.locator(".claim.refuted .counterexample").innerText(), /k = \d, counted from 1/);
  assert.match(await page.locator(".cm-wrong").first().innerText(), /X\^/);
  await page.locator(".claim.proved summary").first().click();
  await page.locator(".claim.proved .reason-button").first().click();
  await page.locator(".claim.proved .drawer .step").first().waitFor(WAIT);
  const link = page.url();
  await page.getByRole("button", { name: "write them in" }).click();
  await page.locator(".guesses").waitFor({ state: "hidden" });
  await paste(page, DERIVATION.replace("(X^", "(2 X^"), ".homework .editor >> nth=0");
  await page.locator(".summary", { hasText: "All equalities are proved." }).waitFor(WAIT);

  await page.getByRole("button", { name: "Derive", exact: true }).click();
  await paste(page, String.raw`f(w) = \|X w - y\|^2 + \lambda w^\top w`, ".ask .editor");
  await page.locator(".closed", { hasText: "2 * (X.T @ (X @ w - y) + lam * w)" }).waitFor(WAIT);
  assert.match(await page.locator(".as-numpy").innerText(), /norm\(X @ w - y\)\*\*2 \+ lam/);
  await page.getByRole("tab", { name: "Check my answer" }).click();
  await paste(page, String.raw`2 X^\top (X w - y) + 2 \lambda w`, ".claiming .editor");
  await page.keyboard.press("Enter");
  await page.locator(".outcome.proved").waitFor(WAIT);

  const second = await open(browser, link);
  await second.page.locator(".summary", { hasText: "Equality 3 is the first wrong one." }).waitFor(WAIT);
  assert.deepEqual([...faults, ...second.faults], []);
  await context.close();
  await second.context.close();
}

// The page in German and in Japanese: verdicts, what they rest on, and the fixed words.
export async function languages(browser, address) {
  const claim = `&tab=check&claim=${encodeURIComponent("X.T @ (X @ w - y)")}`;
  for (const [language, words] of [["de", ["widerlegt", "Gleitkommazahlen", "ab 0 gezählt", "Form (p,)", "Englisch bleiben"]], ["ja", ["反例", "浮動小数点", "形 (p,)", "英語のまま"]]]) {
    const { page, context, faults } = await open(browser, `${address}#f=${encodeURIComponent(LEAST)}&lang=${language}${claim}`);
    await page.locator(".outcome.refuted").waitFor(WAIT);
    const text = await page.locator("body").innerText();
    for (const word of words) assert.ok(text.includes(word), `${language}: ${word} is missing`);
    await page.locator(".traits summary").first().click();
    assert.match(await page.locator(".trait-list").first().innerText(), { de: /positiv/, ja: /正/ }[language]);
    await type(page, "X @ (w + ");
    await page.locator(".fault-kind").waitFor(WAIT);
    assert.equal(await page.locator(".fault-said").getAttribute("lang"), "en");
    assert.deepEqual(faults, []);
    await context.close();
  }
}

// A link brings everything back.
export async function permalink(browser, address) {
  const first = await open(browser, address);
  await first.page.getByRole("button", { name: "least squares" }).waitFor(WAIT);
  await type(first.page, "x @ A @ x");
  await first.page.locator(".closed", { hasText: "(A + A.T) @ x" }).waitFor(WAIT);
  await first.page.getByLabel("Assumptions on A").click();
  await first.page.getByLabel("symmetric", { exact: true }).check();
  await first.page.locator(".closed", { hasText: "2 * A @ x" }).waitFor(WAIT);
  await first.page.getByText("Numerator", { exact: true }).click();
  await first.page.getByRole("tab", { name: "Code" }).click();
  await first.page.getByLabel("Language").selectOption("de");
  await first.page.getByRole("tab", { name: "Antwort prüfen" }).waitFor(WAIT);
  const link = first.page.url();
  const second = await open(browser, link);
  await second.page.locator(".closed", { hasText: "2 * A @ x" }).waitFor(WAIT);
  assert.equal(await second.page.locator(".result input[value=numerator]").isChecked(), true);
  assert.equal(await second.page.locator("#tab-code").getAttribute("aria-selected"), "true");
  assert.equal(await second.page.locator("html").getAttribute("lang"), "de");
  assert.deepEqual([...first.faults, ...second.faults], []);
  await first.context.close();
  await second.context.close();
}

// Nothing that is typed or linked to becomes markup or a script.
export async function hostile(browser, address) {
  const texts = [
    "<script>window.broken = 1</script>", "x<img src=x onerror=window.broken=1>", "\\href{javascript:window.broken=1}{x}",
    "x </annotation><img src=x onerror=window.broken=1>", "'\"><svg onload=window.broken=1>", "$\\htmlData{onclick=window.broken=1}{x}$",
  ];
  for (const text of texts) {
    const said = new URLSearchParams({ f: text, claim: text, d: text, shape: `${text}: (n,)`, assume: `x: ${text}`, lang: text, tab: "check" });
    const { page, context, faults } = await open(browser, `${address}#${said}`);
    await page.locator(".fault").first().waitFor(WAIT);
    assert.match(await page.locator("body").innerText(), /not|no |unknown|named/);
    await page.goto(`${address}#${new URLSearchParams({ view: "statements", text: `x: (n,)\nassert x == x, ${JSON.stringify(text)}\n${text}` })}`);
    await page.reload();
    await page.locator(".found .card").first().waitFor(WAIT);
    await page.goto(`${address}#${new URLSearchParams({ view: "latex", latex: `x = ${text} \\text{${text}}`, given: `x: (n,)\n${text}` })}`);
    await page.reload();
    await page.locator(".homework .found .card").first().waitFor(WAIT);
    await page.goto(`${address}#${new URLSearchParams({ view: "latex", latex: `x &= x && \\text{${text}} \\\\ &= \\href{javascript:window.broken=1}{x}`, given: "x: (n,)" })}`);
    await page.reload();
    await page.locator(".homework .found .card").first().waitFor(WAIT);
    assert.equal(await page.locator("main a[href^=javascript]").count(), 0);
    assert.equal(await page.evaluate(() => window.broken), undefined);
    assert.equal(await page.locator("main img, main script, main svg[onload], main [onclick], main [onerror]").count(), 0);
    assert.deepEqual(faults, []);
    await context.close();
  }
}

// Blocks of handouts: live results, examples, a mark on what is broken.
export async function statements(browser, address) {
  const { page, context, faults } = await open(browser, `${address}#view=statements`);
  await page.locator(".claim.refuted").waitFor(WAIT);
  assert.equal(await page.locator(".claim.proved").count(), 2);
  await page.locator(".claim.proved summary").first().click();
  await page.locator(".claim.proved .proof .row").first().waitFor(WAIT);
  await page.locator(".claim.proved .reason-button").first().click();
  await page.locator(".claim.proved .drawer .step").first().waitFor(WAIT);
  await page.getByRole("button", { name: "Examples" }).click();
  await page.getByRole("searchbox").fill("linear layer");
  await page.locator(".example", { hasText: "Task 1: the linear layer" }).click();
  await page.locator(".claim.proved").nth(3).waitFor(WAIT);
  assert.deepEqual(faults, []);
  await context.close();
}

// Keys alone are enough, and everything that can be used has a name.
export async function keyboard(browser, address) {
  const { page, context, faults } = await open(browser, `${address}#f=${encodeURIComponent(LEAST)}`);
  await page.locator(".proof .row").first().waitFor(WAIT);
  const nameless = await page.evaluate(() => [...document.querySelectorAll("button, input, select, summary, [role=tab]")]
    .filter((e) => !(e.getAttribute("aria-label") || e.textContent?.trim() || (e.labels && [...e.labels].some((l) => l.textContent?.trim()))))
    .map((e) => e.outerHTML.slice(0, 80)));
  assert.deepEqual(nameless, []);
  await page.locator("#tab-proof").focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.locator("#tab-check").getAttribute("aria-selected"), "true");
  await page.keyboard.press("ArrowLeft");
  await page.locator(".reason-button").first().focus();
  await page.keyboard.press("Enter");
  await page.locator(".drawer:visible .step").first().waitFor(WAIT);
  assert.ok(await page.locator(".formula math").count() >= 1, "no MathML for screen readers");
  assert.deepEqual(faults, []);
  await context.close();
}

const VIEWS = [
  ["derive", `f=${encodeURIComponent("norm(X @ w - y)**2 + lam * w @ w")}`, ".proof .row"],
  ["check", `f=${encodeURIComponent(LEAST)}&tab=check&claim=${encodeURIComponent("X.T @ (X @ w - y)")}`, ".outcome, .fault"],
  ["code", `f=${encodeURIComponent("logdet(K) + y @ inv(K) @ y")}&d=K&tab=code&assume=K: positive_definite`, "pre.code"],
  ["graph", `f=${encodeURIComponent("norm(W @ tanh(V @ x + b) - y)**2")}&d=V&tab=graph`, ".graph-node"],
  ["latex", "view=latex&lang=de", ".claim.refuted"], ["statements", "view=statements", ".claim.proved"], ["examples", "view=examples&lang=ja", ".example"], ["start", "", ".starts"],
];

// Pictures to be looked at; and no page is wider than its window.
export async function pictures(browser, address, name) {
  for (const [width, scale, kind] of [[1280, 1, "desktop"], [390, 2, "phone"]]) {
    for (const colorScheme of ["light", "dark"]) {
      for (const [view, fragment, ready] of VIEWS) {
        const { page, context, faults } = await open(browser, `${address}#${fragment}`, { viewport: { width, height: 844 }, deviceScaleFactor: scale, colorScheme });
        await page.locator(ready).first().waitFor(WAIT);
        await page.evaluate(() => document.fonts.ready);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(wide <= 0, `${view} at ${kind} is ${wide} pixels too wide`);
        await shot(page, `${name}-${view}-${kind}-${colorScheme}`);
        assert.deepEqual(faults, []);
        await context.close();
      }
    }
  }
}
