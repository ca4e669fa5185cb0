import { defineConfig } from "vite";

import { app } from "../../vite.base";

export default defineConfig({
  ...app("static/studio/", "studio", "studio"),
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
});
