/** One classic script, because those need no permission to be loaded from another site. */

import { defineConfig } from "vite";

export default defineConfig({
  resolve: { conditions: ["source", "module", "browser"] },
  build: {
    outDir: "../../dist",
    emptyOutDir: false,
    target: "es2022",
    reportCompressedSize: false,
    lib: { entry: "src/index.ts", formats: ["iife"], name: "visavisWidget", fileName: () => "widget.js" },
  },
  logLevel: "warn",
});
