// Tables and sound, and the certificate beside the audit: every kind of model that a predictor serves.

import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";

import { itemsOf } from "./dataset.mjs";
import { IntegerNetwork } from "./network.mjs";
import { Reader, assertIsWhatTheCommandSays, launch } from "./page.mjs";
import { halflight, startDemo, startPredictor } from "./predictor.mjs";

const { SHOP } = process.env;
const inShop = (...names) => join(SHOP, ...names);
const pageFile = (model) => JSON.parse(readFileSync(inShop("models", model, "page.json"), "utf8"));
const network = (model) => new IntegerNetwork(inShop("models", model, "network.safetensors"));
let predictor, demo, browser, reader;

before(async () => {
  [predictor, demo, browser] = await Promise.all([startPredictor(), startDemo(), launch()]);
});

after(async () => {
  await browser?.close();
  predictor?.end();
  demo?.end();
});

afterEach(() => reader.close());

const open = async (model, options = {}, { address } = predictor) => {
  reader = await Reader.open(browser, address, { model, ...options });
};

/**
 * What the page's own module makes of rows or of files, in the browser: the bytes of each item, and its levels `{u, v}`.
 */
async function made(model, { rows = [], files = [] }) {
  const inBase64 = files.map((file) => readFileSync(file).toString("base64"));
  const items = await reader.page.evaluate(async ([model, form, rows, files]) => {
    const { Owner } = await import("/page/halflight.mjs");
    const ask = (path) => fetch(`/v1/models/${model}/${path}`);
    const [key, { encoder }] = [await (await ask("public-key")).arrayBuffer(), await (await ask("parameters")).json()];
    const owner = await Owner.open(fetch("/page/halflight.wasm"), new Uint8Array(key), JSON.stringify(encoder));
    if (form) owner.takeForm(form);
    const bytes = files.map((file) => Uint8Array.from(atob(file), (character) => character.charCodeAt(0)));
    const items = [...rows.map((row) => owner.row(row)), ...bytes.map((file) => (form ? owner.wav(file) : file))];
    return items.map((item) => ({ bytes: [...item], levels: owner.encode(item) }));
  }, [model, pageFile(model).form, rows, inBase64]);
  return items.map(({ bytes, levels }) => ({ bytes: Buffer.from(bytes), levels }));
}

/** Values of the form's fields, by the names of their labels. */
async function fill(values) {
  for (const [name, value] of Object.entries(values)) {
    const field = reader.page.getByLabel(name, { exact: true });
    if (await field.evaluate((control) => control.tagName === "SELECT")) await field.selectOption(value);
    else await field.fill(value);
  }
}

test("every row of a table becomes in the browser the bytes that its import gave", async () => {
  await open("people");
  const rows = readFileSync(inShop("people.csv"), "utf8").trim().split("\n").slice(1).map((row) => row.split(",").slice(0, 4));
  const items = itemsOf(inShop("people.safetensors"));
  assert.equal(items.length, rows.length);
  (await made("people", { rows })).forEach(({ bytes }, at) => assert.deepEqual(bytes, Buffer.from(items[at]), rows[at].join()));
});

test("every recording becomes in the browser the bytes that its import gave", async () => {
  await open("words");
  const names = readdirSync(inShop("words")).sort();
  const items = itemsOf(inShop("words.safetensors"));
  assert.equal(items.length, names.length);
  const found = await made("words", { files: names.map((name) => inShop("words", name)) });
  found.forEach(({ bytes }, at) => assert.deepEqual(bytes, Buffer.from(items[at]), names[at]));
});

test("a row gives what the command and its levels in the clear give", async () => {
  const row = { age: "63", since: "1999-12-31", town: "Genf", size: "M" };
  await open("people");
  await fill(row);
  await reader.page.waitForFunction(() => document.getElementById("levels-text").textContent.includes("features become"));
  const answer = await reader.send();
  assertIsWhatTheCommandSays(answer, "people");
  const [{ levels }] = await made("people", { rows: [Object.values(row)] });
  assert.deepEqual(answer.output, network("people").evaluate(levels.u, levels.v));
  // The same row by the command alone, from a table of its own.
  writeFileSync(inShop("row.csv"), `${Object.keys(row).join()}\n${Object.values(row).join()}\n`);
  const imported = ["--like", "people.safetensors", "--unlabelled", "--out", "row.safetensors"];
  halflight("dataset", "import", "table", "row.csv", ...imported);
  assertIsWhatTheCommandGives("people", "row.safetensors", answer);
});

/** That the command, given the item in a data set, encodes, encrypts and predicts the same. */
function assertIsWhatTheCommandGives(model, data, { output, label }) {
  halflight("encrypt", "--parameters", `keys-${model}/public`, "--data", data, "--items", "0", "--out", "by-command", "--force");
  const [key, file] = ["functional.key", "network.safetensors"].map((name) => `models/${model}/${name}`);
  const said = JSON.parse(halflight("predict", "--key", key, "--network", file, "by-command/0.ct", "--json")).results[0];
  assert.deepEqual([said.output, said.label], [output, label]);
}

test("a file of sound gives what the command and its levels in the clear give", async () => {
  await open("words");
  const name = readdirSync(inShop("words")).sort()[0];
  await reader.page.setInputFiles("#sound-file", inShop("words", name));
  const answer = await reader.send();
  assertIsWhatTheCommandSays(answer, "words");
  const [{ levels }] = await made("words", { files: [inShop("words", name)] });
  assert.deepEqual(answer.output, network("words").evaluate(levels.u, levels.v));
  assertIsWhatTheCommandGives("words", "words.safetensors", answer);
});

test("a picture gives the levels that the library gives", async () => {
  await open("digits");
  const { samples } = pageFile("digits");
  const bytes = Buffer.from(samples[0].pixels, "base64");
  const levels = await reader.page.evaluate(async (pixels) => {
    const { Owner } = await import("/page/halflight.mjs");
    const ask = (path) => fetch(`/v1/models/digits/${path}`);
    const [key, { encoder }] = [await (await ask("public-key")).arrayBuffer(), await (await ask("parameters")).json()];
    const owner = await Owner.open(fetch("/page/halflight.wasm"), new Uint8Array(key), JSON.stringify(encoder));
    return owner.encode(new Uint8Array(pixels));
  }, [...bytes]);
  assert.deepEqual(network("digits").evaluate(levels.u, levels.v), samples[0].output);
});

test("a form asks for what the schema asks for, and lets open what its rules let open", async () => {
  await open("people");
  const { page } = reader;
  const [age, since, town, size] = ["age", "since", "town", "size"].map((name) => page.getByLabel(name, { exact: true }));
  assert.equal(await age.getAttribute("type"), "number");
  assert.equal(await since.getAttribute("type"), "date");
  const options = (field) => field.locator("option").allTextContents();
  assert.deepEqual(await options(town), ["–", "Bern", "Genf", "Ulm", "another"]);
  assert.deepEqual((await options(size)).slice(1, 4), ["S", "M", "L"]);
  assert.ok(await page.isDisabled("#send"), "an empty form cannot be sent");
  // A missing value has a feature of its own here, as another town has.
  await fill({ age: "40", town: "(other)" });
  const answer = await reader.send();
  assertIsWhatTheCommandSays(answer, "people");
  const [{ levels }] = await made("people", { rows: [["40", "", "Aarau", ""]] });
  assert.deepEqual(answer.output, network("people").evaluate(levels.u, levels.v));
  await page.click("#table-clear");
  assert.ok(await page.isDisabled("#send"));
});

test("samples of tables and sound give what the network in the clear gives", async () => {
  for (const model of ["people", "words"]) {
    await open(model);
    const { samples } = pageFile(model);
    assert.equal(samples.length, 4);
    await reader.sample(2).click();
    const answer = await reader.send();
    assert.deepEqual(answer.output, samples[2].output);
    assert.match(await reader.text("clear-text"), /^Exactly what the network gives/);
    assert.equal(await reader.sample(2).getAttribute("aria-pressed"), "true");
    if (model === "people") await reader.close();
  }
});

test("the microphone ends in the same path as a file", async () => {
  await open("words");
  const { page } = reader;
  await page.click("#record");
  await page.waitForFunction(() => document.getElementById("loudness").value > 0.05);
  await page.waitForTimeout(600);
  await page.click("#record");
  await page.waitForFunction(() => document.getElementById("sound-text").textContent.startsWith("Your recording"));
  const answer = await reader.send();
  assertIsWhatTheCommandSays(answer, "words");
  assert.deepEqual(answer.output.length, pageFile("words").samples[0].output.length);
});

test("what cannot be used is said beside the input, and the page goes on", async () => {
  await open("words");
  const { page } = reader;
  const said = (words) => page.waitForFunction((words) => document.getElementById("sound-text").textContent.includes(words), words);
  const silent = readFileSync(inShop("words", "up_low_0.wav")).fill(0, 44);
  await page.setInputFiles("#sound-file", { name: "silent.wav", mimeType: "audio/wav", buffer: silent });
  await said("it is silent");
  assert.ok(await page.isDisabled("#send"));
  await page.setInputFiles("#sound-file", { name: "noise.mp3", mimeType: "audio/mpeg", buffer: Buffer.from("no sound at all") });
  await said("cannot read that file");
  await page.setInputFiles("#sound-file", inShop("words", "down_high_3.wav"));
  assertIsWhatTheCommandSays(await reader.send(), "words");
});

test("the certificate stands beside the audit, in plain words", async () => {
  const certificate = JSON.parse(readFileSync(new URL("ready.certificate.json", import.meta.url), "utf8"));
  const audit = JSON.parse(readFileSync(new URL("ready.json", import.meta.url), "utf8"));
  for (const width of [1280, 360]) {
    await open("digits", { viewport: { width, height: 800 } }, demo);
    const bounds = (await reader.page.locator("#bounds dd").allTextContents()).map((line) => line.replaceAll("\u00a0", " "));
    const share = (value) => `${value.toFixed(1)} %`;
    const above = (value) => `${(Math.ceil(10 * value) / 10).toFixed(1)} %`;
    const vote = (list) => list.find(({ k }) => k === 20);
    const line = (found, bound, chance) => `found ${share(found)} ≤ true ≤ proved ${above(bound)}; guessing ${share(chance)}`;
    const one = audit.strongest_pooled, many = vote(audit.vote);
    assert.deepEqual(bounds, [
      line(one.accuracy, certificate.pooled.bound, one.chance),
      line(many.accuracy, vote(certificate.votes).bound, many.chance),
    ]);
    assert.deepEqual(await reader.page.locator("#bounds dt").allTextContents(), ["One item", "20 items of one subject"]);
    assert.match(await reader.text("proved-text"), /^Proved, with 99\.9\u00a0% confidence: no attacker, known or not, identifies the font/);
    assert.ok(await reader.page.locator("#bounds").isVisible());
    await reader.check();
    if (width > 360) await reader.close();
  }
  await reader.sample(1).click();
  await reader.send();
  assert.match(await reader.text("clear-text"), /noise that was drawn for this item/);
});

test("no rule of accessibility is broken by any kind of model, light or dark, wide or narrow", async () => {
  for (const model of ["digits", "people", "words"]) {
    for (const [colorScheme, width] of [["light", 1280], ["dark", 1280], ["light", 360], ["dark", 360]]) {
      await open(model, { colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" });
      await reader.sample(1).click();
      await reader.send();
      await reader.check();
      if (!(model === "words" && colorScheme === "dark" && width === 360)) await reader.close();
    }
  }
});
