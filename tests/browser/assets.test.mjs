// What ships is what the sources make: whoever changes one rebuilds the other, by `make page`.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { test } from "node:test";
import { join, relative } from "node:path";
import { ROOT, scratch } from "./house.mjs";

const PAGE = join(ROOT, "symderiv", "web", "page");
const skip = existsSync(join(PAGE, "node_modules")) ? false : "the tools of the page are not installed (make page)";

function filesOf(folder, top = folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesOf(path, top) : [relative(top, path)];
  }).sort();
}

test("the built files are those of the sources", { skip }, () => {
  const { folder, remove } = scratch();
  try {
    const made = join(folder, "assets"), shipped = join(PAGE, "..", "assets");
    const built = spawnSync(process.execPath, ["build.mjs", made], { cwd: PAGE, encoding: "utf8" });
    assert.equal(built.status, 0, built.stderr);
    assert.deepEqual(filesOf(shipped), filesOf(made));
    for (const name of filesOf(made)) assert.ok(readFileSync(join(made, name)).equals(readFileSync(join(shipped, name))), `${name} is not what the sources make`);
  } finally {
    remove();
  }
});
