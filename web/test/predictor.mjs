// A real predictor as a process, and the command beside it.

import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const { HALFLIGHT, SHOP } = process.env;

/** Runs the command in the shop; what it wrote to its standard output. */
export function halflight(...args) {
  return execFileSync(HALFLIGHT, args, { cwd: SHOP, stdio: ["ignore", "pipe", "pipe"] });
}

/** Starts a server; the address that a line of its standard error tells after `saying`, and how to end it. */
async function start(args, saying) {
  const process = spawn(HALFLIGHT, args, { cwd: SHOP, stdio: ["ignore", "ignore", "pipe"] });
  const said = [];
  const address = await new Promise((resolve, reject) => {
    process.on("exit", (code) => reject(new Error(`halflight ${args.join(" ")} ended: ${code}\n${said.join("\n")}`)));
    createInterface({ input: process.stderr }).on("line", (line) => {
      said.push(line);
      const found = line.match(saying);
      if (found) resolve(found[1]);
    });
  });
  return { address, end: () => process.kill() };
}

/** `halflight serve predictor` with the models of the shop. */
export function startPredictor(...more) {
  const args = ["serve", "predictor", "--models", "models", "--listen", "127.0.0.1:0", "--table-bits", "18", ...more];
  return start(args, /^predictor at (http:\S+)/);
}

/** The network that comes with the program, with its signed audit and its certificate, as anybody first sees it. */
export function startDemo() {
  const free = ["--listen", "127.0.0.1:0", "--authority-listen", "127.0.0.1:0"];
  return start(["demo", "--serve", "--ready", "--folder", "demo", ...free], /^predictor at (http:\S+)/);
}

/** What `halflight predict` says about a ciphertext for a model. */
export function predict(ciphertext, model = "digits") {
  writeFileSync(join(SHOP, "from-the-page.ct"), ciphertext);
  const [key, network] = ["functional.key", "network.safetensors"].map((file) => `models/${model}/${file}`);
  return JSON.parse(halflight("predict", "--key", key, "--network", network, "from-the-page.ct", "--json")).results[0];
}

/** The item inside the body of an inference request. */
export function itemOf(body) {
  const json = body.indexOf("}]}") + 3;
  const size = body.readUInt32LE(json);
  return body.subarray(json + 4, json + 4 + size);
}
