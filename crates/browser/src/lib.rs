//! The owner's side in a browser: pictures, rows of tables and recordings are encoded and encrypted on the page, and
//! only ciphertexts leave it.
//!
//! `build.sh` builds `halflight.wasm` and puts it with `halflight.mjs`, which wraps
//! it, into `web/dist/`. A page or a worker needs no more than
//!
//! ```js
//! import { Owner } from "./halflight.mjs";
//!
//! const owner = await Owner.open(fetch("halflight.wasm"), publicKey, encoder);
//! await owner.prepareAll((fraction) => { bar.value = fraction; });  // tables: 1.6 s for 28×28
//! await owner.drawAll();                                            // a mask: 0.7 s
//! const ciphertext = owner.encrypt(pixels);                         // with a mask: 11 ms
//! await fetch("/predict", { method: "POST", body: ciphertext });
//! ```
//!
//! `publicKey` is the key's file as `Uint8Array`, `encoder` the encoder's JSON as text
//! or bytes, `pixels` the `owner.height × owner.width` grey values of an image. A wrong
//! input throws an `Error` that says what to change.
//!
//! Items other than pictures are made first, with the form in the predictor's page file: `owner.takeForm(form)`, then
//! `owner.row(["39", "Ulm"])` for a row of a table, `owner.wav(bytes)` for a WAV file, or `owner.sound(samples, rate)` for
//! samples from −1 to 1. Each gives the bytes for `encode` and `encrypt`, the same as an import of the item.
//!
//! Tables and masks take seconds and are made in steps of about a tenth of a second each. `owner.prepare()` and
//! `owner.draw()` take one step and return the fraction done, from 0 to 1. `prepareAll` and `drawAll` take all steps,
//! and let the page run in between. A step also lets V8 replace its first, slow translation of a function, which it
//! does between calls only. A mask serves one ciphertext (see [`qfe::Mask`]); `owner.masks` of them are ready.
//! `encrypt` draws one when there is none.
//!
//! # The module
//!
//! Code that does not use the wrapper calls these exports. Bytes go in through a buffer
//! that the module owns, and results come out of another. Ask for the memory's buffer
//! again after every call, because memory grows.
//!
//! | export | does | returns |
//! |---|---|---|
//! | `hl_input(length)` | makes room for input | its address |
//! | `hl_open(key, encoder, tables)` | takes the input as `key` bytes of public key and `encoder` bytes of JSON; tables take up to `tables` bytes a side | status |
//! | `hl_describe()` | outputs JSON: `public_key`, `n`, `m`, `height`, `width` | status |
//! | `hl_prepare()` | one step of the tables | fraction done |
//! | `hl_draw()` | one step of a mask | fraction done |
//! | `hl_masks()` | | masks ready |
//! | `hl_form()` | loads the form in the input, JSON | status |
//! | `hl_row()` | takes the input as a JSON list of texts, outputs the item | status |
//! | `hl_wav()` | takes the input as a WAV file, outputs the item | status |
//! | `hl_sound(rate)` | takes the input as samples, 32-bit floats, outputs the item | status |
//! | `hl_encode()` | takes the input as an item, outputs JSON: the levels `u`, `v` | status |
//! | `hl_encrypt(compressed)` | takes the input as an item, outputs the ciphertext | status |
//! | `hl_output()`, `hl_output_length()` | | where the output is |
//!
//! A status is 0, or 1 when the output is an error message in UTF-8; a fraction is −1
//! before `hl_open`. The one import, `env.hl_random(address, length)`, fills memory from
//! `crypto.getRandomValues`: all secret scalars come from there. One instance serves one
//! owner; a page that is done with it drops the instance, and its memory with it.
//!
//! # Timing
//!
//! Encryption here is variable-time, as [`qfe::Encryptor`] is: fit for the owner's own
//! machine. A page is also as trustworthy as the server that sends it; serve it over TLS
//! from a host that the owner trusts.

#[cfg(target_family = "wasm")]
mod exports;
mod owner;

pub use owner::{Owner, OwnerError};
