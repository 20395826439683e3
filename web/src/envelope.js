// The envelope that binds a ciphertext to a purpose and a time, for models that ask for one (docs: service::envelope).

const FIXED = 66;

/** An unsigned envelope around a ciphertext: `context` as agreed with the predictor, `sent` in seconds since 1970. */
export function seal(ciphertext, context, sent = Math.floor(Date.now() / 1000)) {
  const text = new TextEncoder().encode(context);
  const out = new Uint8Array(FIXED + text.length + 4 + ciphertext.length);
  const view = new DataView(out.buffer);
  out.set(new TextEncoder().encode("HLEV"));
  out[4] = 1; // version; byte 5 stays 0: not signed
  out.set(ciphertext.subarray(6, 8), 6); // suite
  out.set(ciphertext.subarray(12, 44), 8); // identity of the public key
  crypto.getRandomValues(out.subarray(40, 56));
  view.setBigInt64(56, BigInt(sent), true);
  view.setUint16(64, text.length, true);
  out.set(text, FIXED);
  view.setUint32(FIXED + text.length, ciphertext.length, true);
  out.set(ciphertext, FIXED + text.length + 4);
  return out;
}
