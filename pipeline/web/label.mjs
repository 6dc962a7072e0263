// Draws the alphabet of pipeline/src/web/label.png from Inter: `node label.mjs` here, by hand, when it is to change.
import { readFileSync, writeFileSync } from "node:fs";
import { chromium } from "playwright-core";

const CELL = 24;
const HEIGHT = 26;
const font = readFileSync("node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2").toString("base64");

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage();
const png = await page.evaluate(
  async ({ font, CELL, HEIGHT }) => {
    const face = new FontFace("Label", `url(data:font/woff2;base64,${font})`, { weight: "100 900" });
    document.fonts.add(await face.load());
    const alphabet = [...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)), "·"];
    const canvas = document.createElement("canvas");
    canvas.width = alphabet.length * CELL;
    canvas.height = HEIGHT + 1;
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = "#fff";
    pen.font = "700 19px Label";
    pen.textBaseline = "alphabetic";
    alphabet.forEach((letter, i) => {
      const wide = Math.round(pen.measureText(letter).width);
      pen.fillText(letter, i * CELL, 20);
      pen.fillRect(i * CELL, 0, wide, 1);
    });
    return canvas.toDataURL("image/png");
  },
  { font, CELL, HEIGHT },
);
await browser.close();
writeFileSync("../src/web/label.png", Buffer.from(png.split(",")[1], "base64"));
