// The owner, in a thread of its own: tables and masks are made between questions, and each mask is used once.

import { Owner } from "./halflight.mjs";

/** Masks kept ready: the next item is encrypted at once, and the one after it too. */
const READY = 2;

let owner = null;
let tables = 0; // share done
let waiting = []; // items to encrypt, oldest first
let working = false;

/** What is answered at once, between two steps of other work. */
const answers = {
  encode: ({ item }) => owner.encode(item),
  row: ({ values }) => owner.row(values),
  wav: ({ file }) => owner.wav(file),
  sound: ({ samples, rate }) => owner.sound(samples, rate),
};

self.onmessage = async ({ data }) => {
  try {
    if (data.open) {
      const { key, encoder, form } = data.open;
      owner = await Owner.open(fetch("halflight.wasm"), key, encoder);
      if (form) owner.takeForm(form);
      postMessage({ opened: { publicKey: owner.publicKey, n: owner.n, m: owner.m } });
    } else if (data.verb === "encrypt") {
      waiting.push(data);
    } else {
      answer(data);
    }
    if (!working) await work();
  } catch (error) {
    working = false;
    postMessage({ failed: error.message });
  }
};

/** Answers a question, or says why what it gave cannot be used. */
function answer({ id, verb, ...given }) {
  try {
    postMessage({ answer: { id, value: answers[verb](given) } });
  } catch (error) {
    postMessage({ answer: { id, refused: error.message } });
  }
}

/** Does what is left to do in short steps, so that a question is answered between any two. */
async function work() {
  working = true;
  while (tables < 1) {
    tables = owner.prepare();
    postMessage({ progress: { doing: "tables", done: tables, masks: 0 } });
    await turn();
  }
  while (waiting.length > 0 || owner.masks < READY) {
    if (waiting.length > 0 && owner.masks > 0) {
      encrypt(waiting.shift());
      continue;
    }
    const done = owner.draw();
    postMessage({ progress: { doing: "mask", done, masks: owner.masks } });
    await turn();
  }
  working = false;
}

function encrypt({ id, item }) {
  const start = performance.now();
  const bytes = owner.encrypt(item);
  item.fill(0);
  const ms = performance.now() - start;
  postMessage({ answer: { id, value: { bytes, ms } }, progress: { doing: "mask", done: 0, masks: owner.masks } }, [bytes.buffer]);
}

/** Lets messages in; unlike a timer it is not slowed down by the browser. */
function turn() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
