// The items of a data set file: what an import made of rows and recordings.

import { readFileSync } from "node:fs";

/** The bytes of every item. */
export function itemsOf(path) {
  const bytes = readFileSync(path);
  const head = Number(bytes.readBigUInt64LE(0));
  const entries = JSON.parse(bytes.subarray(8, 8 + head).toString());
  const { shape: [count, height, width], data_offsets: [from] } = entries.features ?? entries.images;
  const data = bytes.subarray(8 + head + from);
  return Array.from({ length: count }, (_, item) => data.subarray(item * height * width, (item + 1) * height * width));
}
