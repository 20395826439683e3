// The owner's side of Halflight on a page, in a worker, or under node: see crates/browser.

/** Fills memory from the system's generator, which gives at most 64 KiB at a time. */
function fillRandom(memory, address, length) {
  for (let start = 0; start < length; start += 65536) {
    crypto.getRandomValues(new Uint8Array(memory.buffer, address + start, Math.min(65536, length - start)));
  }
}

/** The module from a URL's response, from bytes, or compiled already. */
async function instantiate(source, imports) {
  const given = await source;
  if (given instanceof WebAssembly.Module) return WebAssembly.instantiate(given, imports);
  const bytes = typeof Response !== "undefined" && given instanceof Response ? await given.arrayBuffer() : given;
  return (await WebAssembly.instantiate(bytes, imports)).instance;
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Encodes and encrypts items under one public key. */
export class Owner {
  #exports;

  constructor(exports) {
    this.#exports = exports;
  }

  /**
   * Reads a public key (`Uint8Array`) and its encoder (JSON as text or bytes). `source` is the
   * module: a response or a promise of one, bytes, or a `WebAssembly.Module`. More `tableBytes` a side make tables
   * slower to fill and masks quicker to draw.
   */
  static async open(source, publicKey, encoder, { tableBytes = 24 << 20 } = {}) {
    let memory;
    const imports = { env: { hl_random: (address, length) => fillRandom(memory, address, length) } };
    const { exports } = await instantiate(source, imports);
    memory = exports.memory;
    const owner = new Owner(exports);
    const json = typeof encoder === "string" ? new TextEncoder().encode(encoder) : encoder;
    owner.#give(publicKey, json);
    owner.#check(exports.hl_open(publicKey.length, json.length, tableBytes));
    owner.#check(exports.hl_describe());
    const { public_key, n, m, height, width } = JSON.parse(new TextDecoder().decode(owner.#output()));
    return Object.assign(owner, { publicKey: public_key, n, m, height, width });
  }

  /** Takes one step of the tables; the fraction done. */
  prepare() {
    return this.#exports.hl_prepare();
  }

  /** Takes one step of a mask; the fraction done. */
  draw() {
    return this.#exports.hl_draw();
  }

  /** Masks ready. */
  get masks() {
    return this.#exports.hl_masks();
  }

  /** Takes all steps of the tables, with a turn for the page after each. */
  async prepareAll(progress = () => {}) {
    return steps(() => this.prepare(), progress);
  }

  /** Draws one mask, likewise. */
  async drawAll(progress = () => {}) {
    return steps(() => this.draw(), progress);
  }

  /** Takes up how items that are no pictures are made: the `form` of a page file. */
  takeForm(form) {
    this.#give(new TextEncoder().encode(JSON.stringify(form)));
    this.#check(this.#exports.hl_form());
  }

  /** The item of a row: one text for each column of the form, empty where a value is missing. */
  row(values) {
    this.#give(new TextEncoder().encode(JSON.stringify(values)));
    this.#check(this.#exports.hl_row());
    return this.#output();
  }

  /** The item of a WAV file (`Uint8Array`). */
  wav(file) {
    this.#give(file);
    this.#check(this.#exports.hl_wav());
    return this.#output();
  }

  /** The item of samples from −1 to 1 (`Float32Array`) at a rate in Hz. */
  sound(samples, rate) {
    this.#give(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
    this.#check(this.#exports.hl_sound(rate));
    return this.#output();
  }

  /** The levels of an item as they are encrypted, left and right: `{u, v}`. */
  encode(pixels) {
    this.#give(pixels);
    this.#check(this.#exports.hl_encode());
    return JSON.parse(new TextDecoder().decode(this.#output()));
  }

  /** The ciphertext of an item: `height × width` bytes, of a picture its grey values row by row. */
  encrypt(pixels, { compressed = false } = {}) {
    this.#give(pixels);
    this.#check(this.#exports.hl_encrypt(compressed ? 1 : 0));
    return this.#output();
  }

  #give(...parts) {
    let address = this.#exports.hl_input(parts.reduce((sum, part) => sum + part.length, 0));
    for (const part of parts) {
      new Uint8Array(this.#exports.memory.buffer, address, part.length).set(part);
      address += part.length;
    }
  }

  #output() {
    const { memory, hl_output, hl_output_length } = this.#exports;
    return new Uint8Array(memory.buffer, hl_output(), hl_output_length()).slice();
  }

  #check(status) {
    if (status !== 0) throw new Error(new TextDecoder().decode(this.#output()));
  }
}

async function steps(step, progress) {
  let fraction = 0;
  while (fraction < 1) {
    fraction = step();
    progress(fraction);
    await turn();
  }
}
