// The page in a real browser: what it shows is what the command and the integer network say, and nothing leaves but
// ciphertexts to its own server.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, beforeEach, afterEach, test } from "node:test";
import { chromium } from "playwright-core";

import { IntegerNetwork } from "./network.mjs";
import { itemOf, predict, startPredictor } from "./predictor.mjs";

const { SHOP, CHROMIUM } = process.env;
const FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const PATIENCE = 120_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const shown = JSON.parse(readFileSync(join(SHOP, "page.json"), "utf8"));
let predictor, browser, page, requests, complaints;

before(async () => {
  predictor = await startPredictor();
  browser = await chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: false, args: FLAGS });
});

after(async () => {
  await browser?.close();
  predictor?.end();
});

async function open(options = {}, address = predictor.address) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  requests = [];
  complaints = [];
  page.on("request", (request) => requests.push(request));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // Files that a model may do without are asked for and may be missing.
    if (message.type() === "error" && !message.text().includes("404")) complaints.push(message.text());
  });
  await page.goto(address);
  await page.waitForSelector("#samples button");
}

beforeEach(() => open());

afterEach(async () => {
  assert.deepEqual(complaints, []);
  const elsewhere = requests.map((request) => request.url()).filter((url) => !url.startsWith(`${predictor.address}/`));
  assert.deepEqual(elsewhere, []);
  await page.context().close();
});

const text = (id) => page.textContent(`#${id}`);

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

/** Sends what is on the pad; the item that left and what the page then shows. */
async function send(act = () => page.click("#send")) {
  await page.waitForFunction(() => !document.getElementById("send").disabled);
  const asked = page.waitForRequest((request) => request.url().endsWith("/infer"));
  const answered = page.waitForResponse((response) => response.url().endsWith("/infer"));
  await act();
  const item = itemOf((await asked).postDataBuffer());
  assert.equal((await answered).status(), 200);
  await page.waitForFunction(() => !document.getElementById("send").disabled);
  return { item, ...(await learned()) };
}

async function learned() {
  const values = await page.locator("#outputs .value").allTextContents();
  const shares = await page.locator("#classes .share").allTextContents();
  return {
    output: values.map((value) => Number(value.replaceAll(",", "").replace("−", "-"))),
    label: await text("label"),
    shares,
  };
}

function assertIsWhatTheCommandSays({ item, output, label, shares }) {
  const said = predict(item);
  assert.deepEqual(output, said.output);
  assert.equal(label, said.label);
  assert.deepEqual(shares, said.probabilities.map((share) => `${(100 * share).toFixed(1)} %`));
}

test("samples give what the command and the network in the clear give", async () => {
  for (const index of [0, 7]) {
    await page.locator("#samples button").nth(index).click();
    const answer = await send();
    assertIsWhatTheCommandSays(answer);
    assert.deepEqual(answer.output, shown.samples[index].output);
    assert.match(await text("clear-text"), /^Exactly what the network gives/);
    assert.equal(await page.getAttribute(`#samples li:nth-child(${index + 1}) button`, "aria-pressed"), "true");
  }
});

test("a drawing gives what its levels give in the clear", async () => {
  await draw();
  await page.waitForFunction(() => document.getElementById("levels-text").textContent.includes("levels from 0 to 15"));
  const answer = await send();
  assertIsWhatTheCommandSays(answer);
  const { encoder } = await page.evaluate(() => fetch("/v1/models/digits/parameters").then((reply) => reply.json()));
  const levels = await page.evaluate(() => {
    const canvas = document.getElementById("levels");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: data.length / 4 }, (_, at) => Math.round((15 * data[4 * at + 3]) / 255));
  });
  const u = [1, ...encoder.cells.map((cell) => levels[cell])];
  const v = [1, ...encoder.right.map((column) => u[1 + column])];
  assert.ok(u.filter((level) => level > 0).length > 8, "there is ink");
  assert.deepEqual(answer.output, new IntegerNetwork(join(SHOP, "compiled.safetensors")).evaluate(u, v));
});

test("the same picture is another ciphertext with the same outputs", async () => {
  await page.locator("#samples button").nth(3).click();
  const first = await send(), second = await send();
  assert.deepEqual(second.output, first.output);
  assert.notDeepEqual(second.item.subarray(68, 164), first.item.subarray(68, 164));
  assert.match(await text("bytes-text"), /encrypted anew: 99\.\d % of the bytes/);
  assert.match(await text("size"), /^\d+ kB$/);
  assert.equal(await page.locator("#bytes span").first().textContent(), "48");
});

test("another network with the same key opens the same ciphertext, in an envelope where it wants one", async () => {
  await page.locator("#samples button").nth(5).click();
  const first = await send();
  const again = await send(() => page.check("input[value=ward]"));
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
  assertIsWhatTheCommandSays(await send(() => page.keyboard.press("Enter")));
  await page.focus("#undo");
  await page.keyboard.press("Enter");
  assert.ok(await page.isDisabled("#send"), "an empty pad cannot be sent");
});

test("nothing is sent before it is asked for, and never the picture", async () => {
  await draw();
  await page.waitForFunction(() => document.getElementById("ready-text").textContent.startsWith("Ready: 2"));
  const before = requests.filter((request) => request.method() === "POST").map((request) => new URL(request.url()).pathname);
  assert.deepEqual(before, ["/v2/repository/index"]);
  const { item } = await send();
  const bodies = requests.filter((request) => request.postDataBuffer()?.length > 0);
  assert.equal(bodies.length, 1);
  const { encoder } = await page.evaluate(() => fetch("/v1/models/digits/parameters").then((reply) => reply.json()));
  const [n, m] = [encoder.cells.length + 1, encoder.right.length + 1];
  assert.equal(item.length, 68 + (1 + 2 * n) * 96 + 2 * m * 192 + 32, "the size depends on the network only");
});

test("no rule of accessibility is broken, light or dark, and a phone needs no sideways scrolling", async () => {
  for (const [colorScheme, width] of [["light", 1280], ["dark", 1280], ["light", 360]]) {
    await page.context().close();
    await open({ colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" });
    await page.locator("#samples button").nth(1).click();
    await send();
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), []);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width} px`);
  }
});

test("a predictor that asks for tokens gets one from its reader", async () => {
  const sha256 = createHash("sha256").update("open sesame").digest("hex");
  const tokens = join(SHOP, "tokens.toml");
  writeFileSync(tokens, `[[token]]\nname = "reader"\nsha256 = "${sha256}"\nscopes = ["infer"]\n`);
  const guarded = await startPredictor("--tokens", tokens);
  try {
    await page.context().close();
    await open({}, guarded.address);
    await page.locator("#samples button").nth(4).click();
    await page.waitForFunction(() => !document.getElementById("send").disabled);
    await page.click("#send");
    await page.fill("#token", "open barley");
    await page.click("#token-use");
    await page.waitForFunction(() => document.getElementById("token-why").textContent.includes("not known"));
    await page.fill("#token", "open sesame");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.getElementById("label").textContent !== "–");
    assert.deepEqual((await learned()).output, shown.samples[4].output);
  } finally {
    guarded.end();
  }
  complaints = complaints.filter((complaint) => !complaint.includes("401"));
  requests = requests.filter((request) => !request.url().startsWith(`${guarded.address}/`));
});

test("a refusal is said in words", async () => {
  await page.route("**/infer", (route) => route.fulfill({
    status: 503, contentType: "application/problem+json", body: JSON.stringify({ detail: "the queue is full; try again later" }),
  }));
  await page.locator("#samples button").nth(2).click();
  await page.waitForFunction(() => !document.getElementById("send").disabled);
  await page.click("#send");
  await page.waitForFunction(() => !document.getElementById("notice").hidden);
  assert.equal(await text("notice"), "the queue is full; try again later");
  complaints = complaints.filter((complaint) => !complaint.includes("503"));
});
