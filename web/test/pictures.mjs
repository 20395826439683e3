// The page as the book shows it: a digit with its certificate, and a row of a table.
//   node pictures.mjs FOLDER   writes page.png and page-table.png

import { join } from "node:path";

import { Reader, launch } from "./page.mjs";
import { startDemo, startPredictor } from "./predictor.mjs";

const folder = process.argv[2];
const [browser, demo, predictor] = [await launch(), await startDemo(), await startPredictor()];
try {
  let reader = await Reader.open(browser, demo.address, { viewport: { width: 1240, height: 1000 } });
  await reader.sample(9).click();
  await reader.send();
  await settled(reader, join(folder, "page.png"), "#leak");

  reader = await Reader.open(browser, predictor.address, { model: "people", viewport: { width: 1240, height: 1000 } });
  for (const [name, value] of [["age", "63"], ["since", "1999-12-31"]]) await reader.page.getByLabel(name, { exact: true }).fill(value);
  for (const [name, value] of [["town", "Genf"], ["size", "M"]]) await reader.page.getByLabel(name, { exact: true }).selectOption(value);
  await reader.send();
  await settled(reader, join(folder, "page-table.png"), ".stage:nth-child(3)");
} finally {
  await browser.close();
  demo.end();
  predictor.end();
}

/** Waits until nothing moves, and takes the page down to the end of an element. */
async function settled({ page, context }, path, last) {
  await page.waitForFunction(() => document.getElementById("ready-text").textContent.startsWith("Ready: 2"));
  await page.evaluate(() => document.activeElement?.blur());
  await page.mouse.move(0, 0);
  const box = await page.locator(last).boundingBox();
  await page.screenshot({ path, fullPage: true, clip: { x: 0, y: 0, width: 1240, height: Math.ceil(box.y + box.height) + 24 } });
  await context.close();
}
