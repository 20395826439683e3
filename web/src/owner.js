// The page's side of the worker that encodes and encrypts.

/** One owner: a public key, its tables and masks, in a worker. */
export class OwnerClient {
  #worker = new Worker("page/worker.js", { type: "module" });
  #questions = new Map();
  #next = 0;
  #opened;
  #failed;

  /** `progress({doing, done, masks})` hears how far tables and masks are; `failed(message)` hears what went wrong. */
  constructor({ progress, failed }) {
    this.#failed = failed;
    this.#worker.onerror = (event) => this.#fail(event.message || "it could not be loaded");
    this.#worker.onmessage = ({ data }) => {
      if (data.progress) progress(data.progress);
      if (data.opened) this.#opened.resolve(data.opened);
      if (data.encoded) this.#answer(data.encoded.id, data.encoded.levels);
      if (data.encrypted) {
        progress({ doing: "mask", done: 0, masks: data.encrypted.masks });
        this.#answer(data.encrypted.id, data.encrypted);
      }
      if (data.failed) this.#fail(data.failed);
    };
  }

  /** Reads the key and the encoder; the identity of the key and its dimensions. */
  open(key, encoder) {
    this.#worker.postMessage({ open: { key, encoder: JSON.stringify(encoder) } }, [key.buffer]);
    return new Promise((resolve, reject) => { this.#opened = { resolve, reject }; });
  }

  /** The levels of a picture, left and right: `{u, v}`. */
  encode(pixels) {
    return this.#ask("encode", pixels);
  }

  /** The ciphertext of a picture: `{bytes, ms}`. */
  encrypt(pixels) {
    return this.#ask("encrypt", pixels);
  }

  /** Ends the worker; tables and masks are gone with it. */
  close() {
    this.#worker.terminate();
  }

  #ask(verb, pixels) {
    const id = this.#next++;
    this.#worker.postMessage({ [verb]: { id, pixels } });
    return new Promise((resolve, reject) => this.#questions.set(id, { resolve, reject }));
  }

  #answer(id, value) {
    this.#questions.get(id)?.resolve(value);
    this.#questions.delete(id);
  }

  /** Nobody waits for an answer that does not come. */
  #fail(message) {
    this.#failed(message);
    const error = new Error(`Encryption: ${message}`);
    for (const { reject } of [this.#opened, ...this.#questions.values()].filter(Boolean)) reject(error);
    this.#questions.clear();
  }
}
