/** One file that pages without a bundler import: `import { join } from "https://your-server/static/client.js"`. */

import { defineConfig } from "vite";

export default defineConfig({
  build: {
    outDir: "../../dist",
    emptyOutDir: false,
    target: "es2022",
    reportCompressedSize: false,
    lib: { entry: "src/index.ts", formats: ["es"], fileName: () => "client.js" },
    minify: "esbuild",
  },
  logLevel: "warn",
});
