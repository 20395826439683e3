// A real predictor as a process, and the command beside it.

import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const { HALFLIGHT, SHOP } = process.env;

/** Starts `halflight serve predictor`; its address and how to end it. */
export async function startPredictor(...more) {
  const args = ["serve", "predictor", "--models", "models", "--listen", "127.0.0.1:0", "--table-bits", "18", ...more];
  const process = spawn(HALFLIGHT, args, { cwd: SHOP, stdio: ["ignore", "ignore", "pipe"] });
  const address = await new Promise((resolve, reject) => {
    process.on("exit", (code) => reject(new Error(`the predictor ended: ${code}`)));
    createInterface({ input: process.stderr }).on("line", (line) => {
      const found = line.match(/^predictor at (http:\S+)/);
      if (found) resolve(found[1]);
    });
  });
  return { address, end: () => process.kill() };
}

/** What `halflight predict` says about a ciphertext. */
export function predict(ciphertext) {
  const file = join(SHOP, "from-the-page.ct");
  writeFileSync(file, ciphertext);
  const args = ["predict", "--key", "functional.key", "--network", "compiled.safetensors", file, "--json"];
  return JSON.parse(execFileSync(HALFLIGHT, args, { cwd: SHOP, stdio: ["ignore", "pipe", "ignore"] })).results[0];
}

/** The item inside the body of an inference request. */
export function itemOf(body) {
  const json = body.indexOf("}]}") + 3;
  const size = body.readUInt32LE(json);
  return body.subarray(json + 4, json + 4 + size);
}
