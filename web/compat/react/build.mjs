// Builds two pages: one on @visavis/react, and one with @tavus/cvi-ui's conversation component, as its own command line would put it into an application, with
// @daily-co/daily-js replaced by our shim. Its files come from the registry and are only unpacked, never run.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import path from "node:path";

import { build } from "vite";

const here = path.dirname(fileURLToPath(import.meta.url));
const PACKAGE = "@tavus/cvi-ui@0.0.1";
const INTEGRITY = "sha512-Fh4Fd/RRaZXpbTyDjbz3kGtHe27+bmRRwhBdUJlv3KRmXiJWuCZ84afvxpJXEwe5w728QrBpV4v60e6iLGoDXg==";
const src = path.join(here, "src", "cvi");

execFileSync("npm", ["pack", "--silent", PACKAGE], { cwd: here, stdio: "ignore" });
const archive = path.join(here, readdirSync(here).find((name) => name.endsWith(".tgz")));
const found = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
if (found !== INTEGRITY) throw new Error(`${PACKAGE}: checksum ${found}, expected ${INTEGRITY}`);
execFileSync("tar", ["xzf", archive, "-C", here, "package/src/templates/tsx"]);
rmSync(archive);
rmSync(src, { recursive: true, force: true });

const templates = path.join(here, "package", "src", "templates", "tsx");
for (const kind of ["components", "hooks"]) {
  for (const file of readdirSync(path.join(templates, kind))) {
    const { content, styles } = JSON.parse(readFileSync(path.join(templates, kind, file), "utf8"));
    const name = path.basename(file, ".json");
    const folder = kind === "hooks" ? path.join(src, kind) : path.join(src, kind, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, kind === "hooks" ? `${name}.tsx` : "index.tsx"), content);
    const sheet = /"\.\/(.*\.module\.css)"/.exec(content)?.[1];
    if (sheet) writeFileSync(path.join(folder, sheet), styles);
  }
}

await build({
  root: here,
  base: "./",
  configFile: false,
  logLevel: "warn",
  resolve: {
    alias: {
      "@daily-co/daily-js": path.join(here, "../../packages/daily-js-shim/src/index.ts"),
      "@visavis/react": path.join(here, "../../packages/react/src/index.ts"),
      "@visavis/client": path.join(here, "../../packages/client/src/index.ts"),
    },
    dedupe: ["react", "react-dom"],
  },
  build: {
    outDir: "dist",
    target: "es2022",
    minify: false,
    rollupOptions: { input: ["index.html", "react.html"].map((page) => path.join(here, page)) },
  },
  esbuild: { jsx: "automatic" },
});
