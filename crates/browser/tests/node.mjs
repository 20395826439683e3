// Encrypts images with the module as a page would:
//   node node.mjs DIST FOLDER
// FOLDER holds public.key, encoder.json and images 0.gray, 1.gray, …; next to each comes
// its ciphertext, 0.ct and so on, every other one compressed. Prints JSON with times in ms.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [dist, folder] = process.argv.slice(2).map((path) => resolve(path));
const { Owner } = await import(pathToFileURL(join(dist, "halflight.mjs")));
const file = async (name) => new Uint8Array(await readFile(join(folder, name)));

const times = {};
async function timed(name, work) {
  const start = performance.now();
  const result = await work();
  times[name] = Math.round(performance.now() - start);
  return result;
}

function rejects(message, found) {
  if (!found.message.includes(message)) throw new Error(`"${found.message}" should speak of "${message}"`);
}

const module = await WebAssembly.compile(await readFile(join(dist, "halflight.wasm")));
const key = await file("public.key");
const encoder = await file("encoder.json");
const owner = await timed("open", () => Owner.open(module, key, encoder));

let steps = 0;
await timed("tables", () => owner.prepareAll((fraction) => (steps += fraction > 0 && fraction <= 1)));
await timed("mask", () => owner.drawAll());
if (steps < 8 || owner.masks !== 1) throw new Error(`${steps} steps, ${owner.masks} masks`);

const images = (await readdir(folder)).filter((name) => name.endsWith(".gray")).sort();
for (const [place, name] of images.entries()) {
  const pixels = await file(name);
  const label = place === 0 ? "encrypt with a mask" : "encrypt";
  const ciphertext = await timed(label, () => owner.encrypt(pixels, { compressed: place % 2 === 1 }));
  await writeFile(join(folder, name.replace(".gray", ".ct")), ciphertext);
}

const { u, v } = owner.encode(await file(images[0]));
if (u.length !== owner.n || v.length !== owner.m || u[0] !== 1) throw new Error(`levels of ${u.length} and ${v.length}`);

// Damaged input is refused with words, and the owner lives on.
try {
  owner.encrypt(new Uint8Array(3));
  throw new Error("nothing");
} catch (error) {
  rejects("the image has 3 pixels", error);
}
const refused = (message, key, encoder) =>
  Owner.open(module, key, encoder).then(() => ({ message: "nothing" }), (error) => error).then((error) => rejects(message, error));
await refused("magic", key.slice(1), encoder);
await refused("encoder", key, "{}");

const { publicKey, n, m, height, width } = owner;
console.log(JSON.stringify({ publicKey, n, m, height, width, times }));
