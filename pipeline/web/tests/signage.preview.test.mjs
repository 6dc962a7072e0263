// The preview: people who do not exist, without a broker and without asking for anything but the page.
import assert from "node:assert/strict";
import test from "node:test";
import { browser, open, shoot } from "./stage.mjs";
import { faultsOfLayout, still, venueBox } from "./signage.stage.mjs";

const chrome = await browser();
test.after(() => chrome.close());

async function preview(t, query, viewport) {
  const box = await venueBox();
  const { page, complaints } = await open(chrome, box.url(query), viewport);
  t.after(async () => {
    await page.context().close();
    await box.stop();
  });
  return { box, page, complaints };
}

test("each picture can be had by its address, in each language, and asks for nothing but the page", async (t) => {
  const arrived = {
    visitor: ".who[data-count='1'] .face img",
    family: ".who[data-count='4'] .person:last-child .face img",
    moved: ".next[data-status='moved']",
    long: ".program[data-day]",
    notice: "body[data-state='notice']",
    idle: "#attract",
  };
  for (const [i, [show, there]] of Object.entries(arrived).entries()) {
    const lang = ["en", "ko", "zh", "fr", "es", "ar"][i];
    const { box, page, complaints } = await preview(t, `?preview&show=${show}&lang=${lang}`);
    await page.waitForSelector(there);
    assert.equal(await page.getAttribute("html", "lang"), lang);
    await still(page);
    assert.deepEqual(await faultsOfLayout(page), [], show);
    assert.ok(box.asked.every((path) => path === "/signage" || path.startsWith("/assets/")), String(box.asked));
    assert.equal(await page.evaluate(() => navigator.serviceWorker.controller), null);
    assert.deepEqual(complaints, []);
    await shoot(page, `preview-${show}-${lang}`);
  }
});

test("without one it goes round by itself", async (t) => {
  const { page } = await preview(t, "?preview&lang=en");
  await page.waitForSelector('body[data-state="idle"]');
  await page.waitForSelector('body[data-state="greeting"] .name');
  await page.waitForSelector(".who[data-count='4']");
});
