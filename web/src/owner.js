// The page's side of the worker that encodes and encrypts.

/** What the worker says of an item that it cannot use; the worker goes on. */
export class Unusable extends Error {}

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
      if (data.answer) this.#answer(data.answer);
      if (data.failed) this.#fail(data.failed);
    };
  }

  /** Reads the key, the encoder, and the form of items that are no pictures; the identity of the key and its dimensions. */
  open(key, encoder, form) {
    this.#worker.postMessage({ open: { key, encoder: JSON.stringify(encoder), form } }, [key.buffer]);
    return new Promise((resolve, reject) => { this.#opened = { resolve, reject }; });
  }

  /** The item of a row: one text for each column, empty where a value is missing. */
  row(values) {
    return this.#ask("row", { values });
  }

  /** The item of a recording: of `{file}`, a WAV file, or of `{samples, rate}`. */
  recording(given) {
    return given.file ? this.#ask("wav", given) : this.#ask("sound", given);
  }

  /** The levels of an item, left and right: `{u, v}`. */
  encode(item) {
    return this.#ask("encode", { item });
  }

  /** The ciphertext of an item: `{bytes, ms}`. */
  encrypt(item) {
    return this.#ask("encrypt", { item });
  }

  /** Ends the worker; tables and masks are gone with it. */
  close() {
    this.#worker.terminate();
  }

  #ask(verb, given) {
    const id = this.#next++;
    this.#worker.postMessage({ id, verb, ...given });
    return new Promise((resolve, reject) => this.#questions.set(id, { resolve, reject }));
  }

  #answer({ id, value, refused }) {
    const question = this.#questions.get(id);
    this.#questions.delete(id);
    if (refused === undefined) question?.resolve(value);
    else question?.reject(new Unusable(refused));
  }

  /** Nobody waits for an answer that does not come. */
  #fail(message) {
    this.#failed(message);
    const error = new Error(`Encryption: ${message}`);
    for (const { reject } of [this.#opened, ...this.#questions.values()].filter(Boolean)) reject(error);
    this.#questions.clear();
  }
}
