/** What the builds of all apps have in common. */

import type { UserConfig } from "vite";

/**
 * @param place where the app's files are served from, as its page names them: relative, because a proxy may put the
 *   server under any path
 * @param folder of the built files, below `dist`
 * @param name of the entry's script and style
 */
export function app(place: string, folder: string, name: string): UserConfig {
  return {
    base: "./",
    resolve: { conditions: ["source", "module", "browser"] },
    experimental: { renderBuiltUrl: (file, { hostType }) => (hostType === "html" ? `${place}${file}` : { relative: true }) },
    build: {
      outDir: `../../dist/${folder}`,
      emptyOutDir: false,
      target: "es2022",
      // The first browsers that know light-dark(), which the styles use.
      cssTarget: ["chrome123", "firefox120", "safari17.5"],
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      rollupOptions: {
        output: { entryFileNames: `${name}.js`, chunkFileNames: `${name}-[name].js`, assetFileNames: `${name}[extname]` },
      },
    },
    logLevel: "warn",
  };
}
