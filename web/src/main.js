// The flow of the page: draw, fill in, record or pick an item, encrypt it in the worker, send, see what was learned.

import { Among } from "./among.js";
import { number, percent, rangesOf, showClasses, showOutputs } from "./answer.js";
import { difference, dump, size } from "./bytes.js";
import { onTheme } from "./colours.js";
import { seal } from "./envelope.js";
import { showLeak } from "./leak.js";
import { drawLevels } from "./levels.js";
import { OwnerClient, Unusable } from "./owner.js";
import { Pad } from "./pad.js";
import { drawPixels, markChosen, showPixels, showSamples } from "./samples.js";
import { Server } from "./server.js";
import { SoundInput } from "./sound.js";
import { TableForm } from "./table.js";
import { askToken } from "./token.js";

/** What an item is, by what it is made of, and what its bytes are. */
const KINDS = {
  picture: { noun: "a picture", bytes: "pixels" },
  table: { noun: "a row of a table", bytes: "features" },
  sound: { noun: "a recording", bytes: "energies" },
  measured: { noun: "measured values", bytes: "values" },
};

const at = (id) => document.getElementById(id);
const server = new Server();
const among = new Among();
const enter = () => at("send").click();
const pad = new Pad(at("pad"), { changed: () => itemChanged(pad.empty ? null : pad.pixels()), enter });
const table = new TableForm({ changed: (values) => guarded(() => makeItem(values && ((client) => client.row(values)))), enter });
const sound = new SoundInput({
  changed: (recording) => makeItem((client) => client.recording(recording)),
  failed: (problem) => complain(problem),
});

let model = null;
let owner = null; // { client, made: what it was made for, usable }
let item = null; // the bytes that would be encrypted now
let asked = 0; // questions for an item: only the last one counts
let sent = null; // { ciphertext, made, bytes } of the last item
let levels = null;
let busy = false;
let encoding = Promise.resolve();
let opening = Promise.resolve(); // until the owner of the model is there

/** Shows a problem in plain words; an empty one takes the last away. */
function notice(text) {
  at("notice").textContent = text;
  at("notice").hidden = !text;
}

async function start() {
  const names = await server.models();
  if (names.length === 0) return notice("No model is ready here. The predictor's log says why.");
  const chosen = names.includes(location.hash.slice(1)) ? location.hash.slice(1) : names[0];
  for (const name of names) {
    const label = at("models").appendChild(document.createElement("label"));
    const radio = label.appendChild(document.createElement("input"));
    Object.assign(radio, { type: "radio", name: "model", value: name, checked: name === chosen });
    radio.onchange = () => guarded(() => select(name));
    label.append(name);
  }
  at("models").hidden = names.length < 2;
  await select(chosen);
}

/** What the items of a model are. */
function kindOf({ page, parameters }) {
  if (page?.form) return Object.keys(page.form)[0];
  return parameters.encoder.schema ? "measured" : "picture";
}

/** Takes up another network. One that opens the same public key gets the ciphertext that was already sent. */
async function select(name) {
  const found = await server.model(name);
  const kind = kindOf(found);
  const kept = model && kind === kindOf(model) && JSON.stringify(found.page?.form) === JSON.stringify(model.page?.form);
  model = found;
  const { outputs, classes, public_key, network } = model.parameters;
  at("lead-count").textContent = outputs;
  at("lead-noun").textContent = KINDS[kind].noun;
  for (const name of ["picture", "table", "sound"]) at(`${name}-input`).hidden = name !== kind;
  notice(kind === "measured" ? "This network takes measured values, and its predictor keeps no page file that says which." : "");
  facts(at("names"), { "Pin of the parameters": model.pin, "Public key": public_key, Network: network });
  showOutputs(at("outputs"), outputs, null, null);
  showClasses(at("classes"), classes, null);
  at("label").textContent = "–";
  at("label-text").textContent = "no prediction yet";
  at("clear-text").textContent = "";
  among.show(model);
  showLeak(model);
  showSamples(model, pick);
  opening = openOwner();
  showInput(kind, kept);
  await opening;
  if (model !== found) return;
  itemChanged(item);
  if (sent?.made === owner.made) {
    at("bytes-text").textContent = "The same ciphertext again, opened with the key of this network.";
    await ask(sent);
  } else {
    sent = null;
  }
}

/** Lays out where an item comes from; what was made for the same kind of item stays. */
function showInput(kind, kept) {
  if (kind === "picture") {
    const { width, height, dark } = model.parameters.encoder;
    pad.shape = { width, height, dark, ink: model.page?.ink ?? { row: 0.5, column: 0.5, extent: 0.7, stroke: 0.1 } };
    item = pad.empty ? null : pad.pixels();
  } else if (!kept) {
    item = null;
    if (kind === "table") table.show(model.page.form.table);
    if (kind === "sound") {
      sound.show(model.page.form.sound);
      showRecording("No recording yet.");
    }
  }
}

/** A sample instead of what is there. */
function pick(sample) {
  complain("");
  const bytes = sample.pixels.slice();
  switch (kindOf(model)) {
    case "picture": return pad.show(bytes);
    case "table": return table.fill(sample.values);
    default:
      asked += 1;
      at("sound-file").value = "";
      itemChanged(bytes);
      return showRecording("A sample, as its energies.");
  }
}

/** Asks the worker for an item; `question(client)` does, and none takes the item away. An older question is left out. */
async function makeItem(question) {
  const mine = ++asked;
  complain("");
  let made = null;
  try {
    await opening;
    if (question && owner?.usable) made = await question(owner.client);
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    if (mine === asked) complain(error.message);
  }
  if (mine !== asked) return;
  itemChanged(made);
  if (made && kindOf(model) === "sound") showRecording("Your recording: bands of sound from low to high, over time. It stays here.");
}

/** Says beside the input what is wrong with it. */
function complain(problem) {
  if (model && kindOf(model) === "sound" && problem) {
    asked += 1;
    itemChanged(null);
    showRecording(problem);
  }
  table.complain(problem);
}

function showRecording(text) {
  const { bands, frames } = model.page.form.sound;
  showPixels(at("spectrum"), { pixels: item ?? new Uint8Array(bands * frames), width: frames, height: bands, dark: false, upward: true });
  at("sound-text").textContent = text;
}

/** The owner for this model's key and encoder: kept while they stay the same, so that its masks are. */
async function openOwner() {
  const { encoder, public_key } = model.parameters;
  const form = model.page?.form;
  const made = madeFor();
  if (owner?.made === made) return;
  owner?.client.close();
  const client = new OwnerClient({ progress: showProgress, failed: (message) => notice(`Encryption: ${message}`) });
  owner = { client, made, usable: false };
  showProgress({ doing: "key" });
  const opened = await client.open(await server.publicKey(model.name), encoder, form);
  if (owner.client !== client) return;
  if (opened.publicKey !== public_key) {
    return notice(`The predictor handed out public key ${opened.publicKey}, but its parameters name ${public_key}. Nothing is sent.`);
  }
  if (model.policy.signature_required) {
    return notice("This network takes signed items only. Send them with `halflight encrypt`.");
  }
  owner.usable = true;
}

/** What an owner, and a ciphertext, is made for. */
function madeFor() {
  const { encoder, public_key } = model.parameters;
  return JSON.stringify([public_key, encoder, model.page?.form]);
}

function showProgress({ doing, done = 0, masks = 0 }) {
  const texts = {
    key: "Loading the public key",
    tables: `Preparing tables of the public key, ${Math.floor(100 * done)} %`,
    mask: masks === 0 ? `Drawing a mask, ${Math.floor(100 * done)} %` : `Ready: ${masks} ${masks === 1 ? "mask" : "masks"}, each for one item`,
  };
  at("ready-text").textContent = texts[doing];
  at("ready").value = masks > 0 ? 1 : done;
}

/** Another item, or none. */
function itemChanged(bytes) {
  item = bytes;
  at("pad-empty").hidden = !pad.empty;
  at("clear").disabled = pad.empty;
  at("undo").disabled = !pad.drawn;
  at("send").disabled = item === null || busy || !owner?.usable;
  if (!model) return;
  markChosen(model, item);
  const stale = sent !== null && !(item && same(item, sent.bytes));
  for (const id of ["outputs", "classes"]) at(id).classList.toggle("stale", stale);
  if (stale) at("label-text").textContent = "for what was sent before";
  encoding = encoding.then(() => showLevels(bytes)).catch(() => {});
}

/** Asks the worker for the levels of the item; an older question is left out. */
async function showLevels(bytes) {
  if (!bytes || !owner?.usable) {
    at("levels").getContext("2d").clearRect(0, 0, 1e4, 1e4);
    levels = null;
    return;
  }
  if (bytes !== item) return;
  const { encoder } = model.parameters;
  levels = (await owner.client.encode(bytes)).u;
  drawLevels(at("levels"), levels, encoder);
  at("levels-text").textContent = `${number(bytes.length)} ${KINDS[kindOf(model)].bytes} become ` +
    `${number(levels.length - 1)} levels from 0 to ${2 ** encoder.bits - 1}. They stay here.`;
}

async function send() {
  if (item === null || busy || !owner?.usable) return;
  busy = true;
  notice("");
  at("send").disabled = true;
  try {
    const bytes = item;
    const { bytes: ciphertext, ms } = await owner.client.encrypt(bytes);
    showSent(ciphertext, bytes);
    sent = { ciphertext, made: owner.made, bytes };
    await ask(sent, ms);
  } finally {
    busy = false;
    itemChanged(item);
  }
}

function showSent(ciphertext, bytes) {
  at("size").textContent = size(ciphertext.length);
  at("size-text").textContent = "one ciphertext";
  dump(at("bytes"), ciphertext);
  const again = sent && sent.made === madeFor() && same(sent.bytes, bytes);
  at("bytes-text").textContent = again
    ? `The same item, encrypted anew: ${percent(difference(ciphertext, sent.ciphertext))} of the bytes after the header are others.`
    : "First what it is, the public key, and the sizes; then points of an elliptic curve, which say nothing without a functional key.";
}

/** Sends a ciphertext to the model and shows all that it learned. */
async function ask(given, encrypted) {
  const reader = model;
  const context = reader.policy.context;
  const wrap = () => (context === null ? given.ciphertext : seal(given.ciphertext, context));
  const start = performance.now();
  const answer = await allowed(() => server.infer(reader.name, wrap()));
  if (model !== reader) return;
  const took = `${Math.round(performance.now() - start)} ms`;
  facts(at("times"), encrypted === undefined ? { "Sent and answered in": took } : { "Encrypted in": `${Math.round(encrypted)} ms, with a mask drawn before`, "Sent and answered in": took });
  showAnswer(answer, given.bytes);
}

/** Runs a request, and asks for an access token as long as the predictor refuses for want of one. */
async function allowed(request) {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (error.status !== 401) throw error;
      server.useToken(null);
      const token = await askToken(error.message);
      if (!token) throw error;
      server.useToken(token);
    }
  }
}

function showAnswer(answer, bytes) {
  const { outputs, classes, encoder } = model.parameters;
  const cloud = model.page?.cloud.outputs;
  showOutputs(at("outputs"), outputs, answer.output, cloud && rangesOf(cloud));
  showClasses(at("classes"), classes, answer.probabilities);
  at("label").textContent = answer.label;
  at("label-text").textContent = `predicted, ${percent(Math.max(...answer.probabilities))}`;
  const known = model.samples.find((sample) => same(sample.pixels, bytes));
  const right = known && known.output.every((value, index) => value === answer.output[index]);
  at("clear-text").textContent = encoder.noise ? "Each carries noise that was drawn for this item, so they differ every time."
    : !known ? "" : right ? "Exactly what the network gives for this sample in the clear."
      : "This is not what the network gives for this sample in the clear. Please report it.";
  among.place(answer);
}

function facts(list, entries) {
  list.replaceChildren(...Object.entries(entries).flatMap(([name, value]) => {
    const term = document.createElement("dt"), text = document.createElement("dd");
    term.textContent = name;
    text.textContent = value;
    return [term, text];
  }));
}

const same = (one, other) => one.length === other.length && one.every((value, at) => value === other[at]);

/** Runs work that may be refused, and says why it was. */
async function guarded(work) {
  try {
    await work();
  } catch (error) {
    notice(error.message);
  }
}

at("send").onclick = () => guarded(send);
at("clear").onclick = () => pad.clear();
at("undo").onclick = () => pad.undo();
onTheme(() => {
  pad.draw();
  among.draw();
  if (levels) drawLevels(at("levels"), levels, model.parameters.encoder);
  for (const canvas of [...at("samples").querySelectorAll("canvas"), at("spectrum")]) drawPixels(canvas);
});
guarded(start);
