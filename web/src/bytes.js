// What is sent: how much, its first bytes, and what the bytes mean.

/** Bytes of the header of a ciphertext, by meaning: kind, public key, dimensions. */
const PARTS = [["kind", 0, 12], ["key", 12, 44], ["size", 44, 68]];
const SHOWN = 192;

/** 252,100 bytes as "252 kB". */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Fills an element with the first bytes in hexadecimal, the header marked. */
export function dump(element, bytes) {
  const cells = Array.from(bytes.subarray(0, SHOWN), (byte, at) => {
    const cell = document.createElement("span");
    cell.textContent = byte.toString(16).padStart(2, "0");
    cell.className = PARTS.find(([, from, to]) => at >= from && at < to)?.[0] ?? "";
    return cell;
  });
  element.replaceChildren(...cells);
  element.setAttribute("aria-label", `First ${Math.min(SHOWN, bytes.length)} of ${bytes.length} bytes`);
}

/** The share of bytes after the header that differ between two ciphertexts. */
export function difference(one, other) {
  const from = PARTS.at(-1)[2];
  let differ = 0;
  for (let at = from; at < one.length; at++) differ += Number(one[at] !== other[at]);
  return differ / (one.length - from);
}
