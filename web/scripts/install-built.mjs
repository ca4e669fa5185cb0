// Puts what was built into the Python package, src/visavis/web, and takes away what is no longer built.
// With --check it changes nothing and fails when they differ.

import { existsSync } from "node:fs";
import { cp, readFile, readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";

const built = fileURLToPath(new URL("../dist", import.meta.url));
const installed = fileURLToPath(new URL("../../src/visavis/web", import.meta.url));

async function files(folder) {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)));
}

async function same(file) {
  const [one, other] = await Promise.all([built, installed].map((folder) => readFile(path.join(folder, file))));
  return one.equals(other);
}

const [wanted, present] = await Promise.all([files(built), files(installed)]);
const changed = [];
for (const file of wanted) if (!present.includes(file) || !(await same(file))) changed.push(file);
const extra = present.filter((file) => !wanted.includes(file));

if (process.argv.includes("--check")) {
  for (const file of [...changed, ...extra].sort()) console.error(`stale: src/visavis/web/${file}`);
  if (changed.length + extra.length) {
    console.error("The built pages do not match web/. Run make web and commit what changes.");
    process.exit(1);
  }
} else {
  for (const file of changed) await cp(path.join(built, file), path.join(installed, file));
  for (const file of extra) await rm(path.join(installed, file));
}
