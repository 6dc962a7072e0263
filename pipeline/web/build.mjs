// Bundles the pages into dist/, which the binary takes in. Run by `make pages`.
import { createHash } from "node:crypto";
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";

const HTML = ["index", "signage", "operator", "flow", "enrol"];
/** Pages that are one sheet of paper, and what they are called before they say so themselves. */
const PAPER = { pass: "usher", day: "usher", staff: "Staff · usher" };
const options = {
  bundle: true,
  minify: true,
  target: ["chrome109", "firefox115", "safari16"],
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
};
const signage = { entryPoints: { signage: "signage/main.ts" }, ...options, outdir: "dist", format: "esm", loader: { ".woff2": "file" }, assetNames: "[name]", publicPath: "/assets" };

await rm("dist", { recursive: true, force: true });
await mkdir("dist");
// The big screen says of which build it is: what it is made of, before it says so.
const parts = await build({ ...signage, write: false, define: { PAGES: '""' } });
const made = hashOf(parts.outputFiles.map((file) => file.contents).concat(await readFile("signage/signage.html")));
const built = [await build({ ...signage, define: { PAGES: JSON.stringify(made) } })];
built.push(await build({
  ...options,
  entryPoints: { operator: "operator/main.ts", flow: "flow/main.ts", enrol: "enrol/main.ts", pass: "pass/main.ts", day: "day/main.ts", staff: "staff/main.ts", index: "index/index.css" },
  outdir: "dist",
  format: "esm",
  loader: { ".woff2": "file" },
  assetNames: "[name]",
  publicPath: "/assets",
}));
for (const page of HTML) await copyFile(`${page}/${page}.html`, `dist/${page}.html`);
const paper = await readFile("enrol/paper.html", "utf8");
for (const [page, title] of Object.entries(PAPER)) await writeFile(`dist/${page}.html`, paper.replaceAll("{page}", page).replace("{title}", title));

await copyFile("shared/icon.svg", "dist/icon.svg");

// What the screen's worker keeps: the page's own files and its typeface. Another build is another worker.
const files = (await readdir("dist")).filter((name) => /^signage\.(js|css)$|\.woff2$|^icon\.svg$/.test(name)).sort();
const kept = hashOf(await Promise.all([...files, "signage.html"].map((name) => readFile(`dist/${name}`))));
built.push(await build({
  ...options,
  entryPoints: { "signage-worker": "signage/worker.ts" },
  outdir: "dist",
  format: "iife",
  define: { BUILD: JSON.stringify(kept), FILES: JSON.stringify(files.map((name) => `/assets/${name}`)) },
}));

// Of which packages the pages hold a part, for the bill of materials (debian/sbom.py); beside dist, since no page needs it.
const inside = new Set(built.flatMap(({ metafile }) => Object.values(metafile.outputs)).flatMap(({ inputs }) => Object.keys(inputs)));
const packageOf = (file) => /node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
await writeFile("bundled.json", JSON.stringify([...new Set([...inside].map(packageOf).filter(Boolean))].sort(), null, 1) + "\n");

// What is inside and whose it is; served beside the pages, as the licences ask.
const licences = [
  ["Inter, the typeface", "node_modules/@fontsource-variable/inter/LICENSE"],
  ["MQTT.js", "node_modules/mqtt/LICENSE.md"],
  ["uqr, QR symbols", "node_modules/uqr/LICENSE"],
  ["noble-ed25519, signatures", "node_modules/@noble/ed25519/LICENSE"],
  ["noble-hashes, SHA-512", "node_modules/@noble/hashes/LICENSE"],
];
const texts = await Promise.all(licences.map(async ([what, file]) => `${what}\n\n${await readFile(file, "utf8")}`));
await writeFile("dist/licences.txt", texts.join("\n\n----------------\n\n"));

/** A short hash of some files. */
function hashOf(contents) {
  const all = createHash("sha256");
  for (const content of contents) all.update(content);
  return all.digest("hex").slice(0, 16);
}
