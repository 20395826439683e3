// Data to train tiny networks on: a table and recordings, the same ones every time.
//   node make.mjs FOLDER   writes people.csv, and words/WORD_VOICE_NUMBER.wav

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];

/** Numbers from 0 to 1 (mulberry32). */
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A column of each kind; some values are missing. */
function people(count) {
  const random = generator(1);
  const one = (list) => list[Math.floor(random() * list.length)];
  const rows = ["age,since,town,size,rich,sex"];
  for (let row = 0; row < count; row++) {
    const age = 18 + Math.floor(random() * 60);
    const since = new Date(Date.UTC(1990, 0, 1) + Math.floor(random() * 9000) * 864e5).toISOString().slice(0, 10);
    const [town, size] = [one(["Bern", "Genf", "Ulm"]), one(["S", "M", "L"])];
    const rich = age + (town === "Genf" ? 25 : 0) + 12 * random() > 55 ? "yes" : "no";
    const sex = random() < (size === "L" ? 0.3 : 0.6) ? "f" : "m";
    const known = (value) => (random() < 0.04 ? "" : value);
    rows.push([known(age), known(since), known(town), known(size), rich, sex].join(","));
  }
  return `${rows.join("\n")}\n`;
}

/** A tone that rises or falls, in a low or a high voice, between two silences; 16 bits at 8 kHz. */
function word(name, voice, random) {
  const rate = 8000, length = Math.floor(rate * (0.3 + 0.1 * random()));
  const samples = new Int16Array(length + rate / 5);
  const from = (voice === "low" ? 400 : 800) * (0.9 + 0.2 * random()), to = name === "up" ? 2.5 * from : from;
  const start = name === "up" ? from : 2.5 * from;
  let phase = 0;
  for (let place = 0; place < length; place++) {
    phase += (2 * Math.PI * (start + ((to - start) * place) / length)) / rate;
    const loud = 9000 * Math.sin((Math.PI * place) / length);
    samples[place + rate / 10] = loud * Math.sin(phase) + 300 * (random() - 0.5);
  }
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.byteLength, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  for (const [value, at] of [[1, 20], [1, 22], [2, 32], [16, 34]]) head.writeUInt16LE(value, at);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(2 * rate, 28);
  head.write("data", 36);
  head.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([head, Buffer.from(samples.buffer)]);
}

writeFileSync(join(folder, "people.csv"), people(400));
mkdirSync(join(folder, "words"), { recursive: true });
const random = generator(2);
for (let number = 0; number < 30; number++) {
  for (const name of ["up", "down"]) {
    for (const voice of ["low", "high"]) {
      writeFileSync(join(folder, "words", `${name}_${voice}_${number}.wav`), word(name, voice, random));
    }
  }
}
