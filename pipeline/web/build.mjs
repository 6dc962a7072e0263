// Bundles the pages into dist/, which the binary takes in. Run by `make pages`.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";

await rm("dist", { recursive: true, force: true });
await mkdir("dist");
await build({
  entryPoints: { signage: "signage/main.ts", operator: "operator/main.ts", enrol: "enrol/main.ts", pass: "pass/main.ts", staff: "staff/main.ts", index: "index/index.css" },
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome109", "firefox115", "safari16"],
  loader: { ".woff2": "file" },
  assetNames: "[name]",
  publicPath: "/assets",
  legalComments: "none",
  logLevel: "warning",
});
for (const page of ["index", "signage", "operator", "enrol", "pass", "staff"]) {
  await copyFile(`${page}/${page}.html`, `dist/${page}.html`);
}

await copyFile("shared/icon.svg", "dist/icon.svg");

// What is inside and whose it is; served beside the pages, as the licences ask.
const licences = [
  ["Inter, the typeface", "node_modules/@fontsource-variable/inter/LICENSE"],
  ["MQTT.js", "node_modules/mqtt/LICENSE.md"],
];
const texts = await Promise.all(licences.map(async ([what, file]) => `${what}\n\n${await readFile(file, "utf8")}`));
await writeFile("dist/licences.txt", texts.join("\n\n----------------\n\n"));
