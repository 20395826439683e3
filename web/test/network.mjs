// The integer network in the clear, from its file, in numbers of any size.

import { readFileSync } from "node:fs";

/** The matrices P, R and D of a compiled network, and its outputs. */
export class IntegerNetwork {
  constructor(path) {
    const bytes = readFileSync(path);
    const head = Number(bytes.readBigUInt64LE(0));
    const entries = JSON.parse(bytes.subarray(8, 8 + head).toString());
    const tensor = (name) => {
      const { dtype, shape, data_offsets: [from, to] } = entries[name];
      if (dtype !== "I32") throw new Error(`${name} is ${dtype}`);
      const data = bytes.subarray(8 + head + from, 8 + head + to);
      const value = (at) => BigInt(data.readInt32LE(4 * at));
      return Array.from({ length: shape[0] }, (_, row) => Array.from({ length: shape[1] }, (_, column) => value(row * shape[1] + column)));
    };
    this.left = tensor("left");
    this.right = entries.right ? tensor("right") : this.left;
    this.combine = tensor("combine");
  }

  /** `Σ_k D[j][k]·(P[k]·u)·(R[k]·v)` for every j. */
  evaluate(u, v) {
    const dot = (row, values) => row.reduce((sum, weight, at) => sum + weight * BigInt(values[at]), 0n);
    const units = this.left.map((row, k) => dot(row, u) * dot(this.right[k], v));
    return this.combine.map((row) => Number(row.reduce((sum, weight, k) => sum + weight * units[k], 0n)));
  }
}
