// The page in a real browser: what it shows is what the command and the integer network say, and nothing leaves but
// ciphertexts to its own server.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { IntegerNetwork } from "./network.mjs";
import { Reader, assertIsWhatTheCommandSays, launch } from "./page.mjs";
import { startPredictor } from "./predictor.mjs";

const { SHOP } = process.env;
const shown = JSON.parse(readFileSync(join(SHOP, "models", "digits", "page.json"), "utf8"));
let predictor, browser, reader, page, allowed;

before(async () => {
  predictor = await startPredictor();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  predictor?.end();
});

beforeEach(async () => {
  allowed = undefined;
  reader = await Reader.open(browser, predictor.address, { model: "digits" });
  ({ page } = reader);
});

afterEach(() => reader.close(allowed));

/** Draws a seven with the pointer. */
async function draw() {
  const pad = page.locator("#pad");
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  const place = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
  const [start, ...rest] = [[0.3, 0.25], [0.7, 0.25], [0.55, 0.5], [0.45, 0.8]];
  await page.mouse.move(...place(start));
  await page.mouse.down();
  for (const point of rest) await page.mouse.move(...place(point), { steps: 8 });
  await page.mouse.up();
}

test("samples give what the command and the network in the clear give", async () => {
  for (const index of [0, 7]) {
    await reader.sample(index).click();
    const answer = await reader.send();
    assertIsWhatTheCommandSays(answer);
    assert.deepEqual(answer.output, shown.samples[index].output);
    assert.match(await reader.text("clear-text"), /^Exactly what the network gives/);
    assert.equal(await reader.sample(index).getAttribute("aria-pressed"), "true");
  }
});

test("a drawing gives what its levels give in the clear", async () => {
  await draw();
  await page.waitForFunction(() => document.getElementById("levels-text").textContent.includes("levels from 0 to 15"));
  const answer = await reader.send();
  assertIsWhatTheCommandSays(answer);
  const { encoder } = await reader.parameters("digits");
  const levels = await reader.levels();
  const u = [1, ...encoder.cells.map((cell) => levels[cell])];
  const v = [1, ...encoder.right.map((column) => u[1 + column])];
  assert.ok(u.filter((level) => level > 0).length > 8, "there is ink");
  const network = new IntegerNetwork(join(SHOP, "models", "digits", "network.safetensors"));
  assert.deepEqual(answer.output, network.evaluate(u, v));
});

test("the same picture is another ciphertext with the same outputs", async () => {
  await reader.sample(3).click();
  const first = await reader.send(), second = await reader.send();
  assert.deepEqual(second.output, first.output);
  assert.notDeepEqual(second.item.subarray(68, 164), first.item.subarray(68, 164));
  assert.match(await reader.text("bytes-text"), /encrypted anew: 99\.\d % of the bytes/);
  assert.match(await reader.text("size"), /^\d+ kB$/);
  assert.equal(await page.locator("#bytes span").first().textContent(), "48");
});

test("another network with the same key opens the same ciphertext, in an envelope where it wants one", async () => {
  await reader.sample(5).click();
  const first = await reader.send();
  const again = await reader.send(() => page.check("input[value=ward]"));
  assert.equal(again.item.subarray(0, 4).toString(), "HLEV");
  assert.equal(again.item.subarray(66, 79).toString(), "ward 3 intake");
  assert.deepEqual(again.item.subarray(83), first.item);
  assert.deepEqual(again.output, first.output);
});

test("everything can be done with the keyboard", async () => {
  await page.focus("#pad");
  await page.keyboard.press("Space");
  for (let step = 0; step < 12; step++) await page.keyboard.press("ArrowDown");
  for (let step = 0; step < 6; step++) await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press("Space");
  assertIsWhatTheCommandSays(await reader.send(() => page.keyboard.press("Enter")));
  await page.focus("#undo");
  await page.keyboard.press("Enter");
  assert.ok(await page.isDisabled("#send"), "an empty pad cannot be sent");
});

test("nothing is sent before it is asked for, and never the picture", async () => {
  await draw();
  await page.waitForFunction(() => document.getElementById("ready-text").textContent.startsWith("Ready: 2"));
  const posted = () => reader.requests.filter((request) => request.method() === "POST");
  assert.deepEqual(posted().map((request) => new URL(request.url()).pathname), ["/v2/repository/index"]);
  const { item } = await reader.send();
  const bodies = reader.requests.filter((request) => request.postDataBuffer()?.length > 0);
  assert.equal(bodies.length, 1);
  const { encoder } = await reader.parameters("digits");
  const [n, m] = [encoder.cells.length + 1, encoder.right.length + 1];
  assert.equal(item.length, 68 + (1 + 2 * n) * 96 + 2 * m * 192 + 32, "the size depends on the network only");
});

test("a predictor that asks for tokens gets one from its reader", async () => {
  const sha256 = createHash("sha256").update("open sesame").digest("hex");
  const tokens = join(SHOP, "tokens.toml");
  writeFileSync(tokens, `[[token]]\nname = "reader"\nsha256 = "${sha256}"\nscopes = ["infer"]\n`);
  allowed = / 401 /;
  const guarded = await startPredictor("--tokens", tokens);
  try {
    await reader.close();
    reader = await Reader.open(browser, guarded.address, { model: "digits" });
    ({ page } = reader);
    await reader.sample(4).click();
    await reader.canSend();
    await page.click("#send");
    await page.fill("#token", "open barley");
    await page.click("#token-use");
    await page.waitForFunction(() => document.getElementById("token-why").textContent.includes("not known"));
    await page.fill("#token", "open sesame");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.getElementById("label").textContent !== "–");
    assert.deepEqual((await reader.learned()).output, shown.samples[4].output);
  } finally {
    guarded.end();
  }
});

test("a refusal is said in words", async () => {
  allowed = / 503 /;
  await page.route("**/infer", (route) => route.fulfill({
    status: 503, contentType: "application/problem+json", body: JSON.stringify({ detail: "the queue is full; try again later" }),
  }));
  await reader.sample(2).click();
  await reader.canSend();
  await page.click("#send");
  await page.waitForFunction(() => !document.getElementById("notice").hidden);
  assert.equal(await reader.text("notice"), "the queue is full; try again later");
});
