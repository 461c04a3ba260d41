// Builds both front ends into the package that the API serves; the same sources give the same bytes.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));
const target = process.env.WEB_OUT ?? join(root, "../read_side/web/static");
const COMPRESSIBLE = /\.(html|js|css|svg|csv|webmanifest)$/;

function files(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}

/** Lists the owner's first load in the service worker, then writes the compressed twin of every text. */
function finish() {
  return {
    name: "finish",
    closeBundle() {
      rmSync(join(target, ".vite"), { recursive: true, force: true });
      const index = readFileSync(join(target, "index.html"), "utf8");
      const needed = [...index.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1]);
      const shell = [...new Set(["/", ...needed])].sort();
      const release = createHash("sha256").update(index).digest("hex").slice(0, 12);
      const worker = join(target, "sw.js");
      writeFileSync(
        worker,
        readFileSync(worker, "utf8").replace("__SHELL__", JSON.stringify(shell)).replace("__RELEASE__", release),
      );
      for (const path of files(target)) {
        if (!COMPRESSIBLE.test(path) || statSync(path).size < 512) continue;
        const content = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
      }
      console.log(`built ${files(target).length} files into ${relative(process.cwd(), target)}`);
    },
  };
}

export default defineConfig({
  root,
  base: "/",
  publicDir: join(root, "public"),
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: {
    outDir: target,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: { input: { owner: join(root, "index.html"), console: join(root, "console.html") } },
  },
  server: { proxy: { "/api": process.env.API ?? "http://127.0.0.1:8000" } },
  plugins: [finish()],
});
