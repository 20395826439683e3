// A browser with the page in it, and what is done on it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

import { itemOf, predict } from "./predictor.mjs";

const { SHOP, CHROMIUM } = process.env;
const FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
  // A microphone that hears a recording again and again, and is allowed without a question.
  "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
  `--use-file-for-fake-audio-capture=${join(SHOP, "words", "up_low_0.wav")}`];
const PATIENCE = 120_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const launch = () => chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: false, args: FLAGS });

/** The page of one predictor in a context of its own, which hears all that is asked and complained of. */
export class Reader {
  requests = [];
  complaints = [];

  /** Opens the page, at a model if one is named. */
  static async open(browser, address, { model = "", ...options } = {}) {
    const reader = new Reader();
    reader.address = address;
    reader.context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    reader.page = await reader.context.newPage();
    reader.page.setDefaultTimeout(PATIENCE);
    reader.page.on("request", (request) => reader.requests.push(request));
    reader.page.on("pageerror", (error) => reader.complaints.push(error.message));
    reader.page.on("console", (message) => {
      // Files that a model may do without are asked for and may be missing.
      if (message.type() === "error" && !message.text().includes("404")) reader.complaints.push(message.text());
    });
    await reader.page.goto(`${address}/#${model}`);
    await reader.page.waitForSelector("#samples button");
    return reader;
  }

  /** Closes it: nothing was complained of but what may be, and nothing asked of anybody else. */
  async close(allowed = /^$/) {
    await this.context.close();
    assert.deepEqual(this.complaints.filter((complaint) => !allowed.test(complaint)), []);
    const elsewhere = this.requests.map((request) => request.url()).filter((url) => !url.startsWith(`${this.address}/`));
    assert.deepEqual(elsewhere, []);
  }

  text(id) {
    return this.page.textContent(`#${id}`);
  }

  sample(index) {
    return this.page.locator("#samples button").nth(index);
  }

  async canSend() {
    await this.page.waitForFunction(() => !document.getElementById("send").disabled);
  }

  /** Sends the item; what left and what the page then shows. */
  async send(act = () => this.page.click("#send")) {
    await this.canSend();
    const asked = this.page.waitForRequest((request) => request.url().endsWith("/infer"));
    const answered = this.page.waitForResponse((response) => response.url().endsWith("/infer"));
    await act();
    const item = itemOf((await asked).postDataBuffer());
    assert.equal((await answered).status(), 200);
    await this.canSend();
    return { item, ...(await this.learned()) };
  }

  async learned() {
    const values = await this.page.locator("#outputs .value").allTextContents();
    const shares = await this.page.locator("#classes .share").allTextContents();
    return {
      output: values.map((value) => Number(value.replaceAll(",", "").replace("−", "-"))),
      label: await this.text("label"),
      shares,
    };
  }

  /** The levels that the page shows, in the order of the picture's cells. */
  levels() {
    return this.page.evaluate(() => {
      const canvas = document.getElementById("levels");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return Array.from({ length: data.length / 4 }, (_, at) => Math.round((15 * data[4 * at + 3]) / 255));
    });
  }

  parameters(model) {
    return this.page.evaluate((path) => fetch(path).then((reply) => reply.json()), `/v1/models/${model}/parameters`);
  }

  /** What breaks a rule of accessibility; and whether the page needs sideways scrolling. */
  async check() {
    await this.page.evaluate(AXE);
    const { violations } = await this.page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), []);
    const { width } = this.page.viewportSize();
    assert.ok(await this.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width} px`);
  }
}

/** That the page shows what the command says about the ciphertext that left it. */
export function assertIsWhatTheCommandSays({ item, output, label, shares }, model = "digits") {
  const said = predict(item, model);
  assert.deepEqual(output, said.output);
  assert.equal(label, said.label);
  assert.deepEqual(shares, said.probabilities.map((share) => `${(100 * share).toFixed(1)} %`));
}
