// The flow of the page: draw or pick, encrypt in the worker, send, see what was learned.

import { Among } from "./among.js";
import { number, percent, rangesOf, showClasses, showOutputs } from "./answer.js";
import { difference, dump, size } from "./bytes.js";
import { onTheme } from "./colours.js";
import { seal } from "./envelope.js";
import { drawLevels } from "./levels.js";
import { OwnerClient } from "./owner.js";
import { Pad } from "./pad.js";
import { drawPixels, markChosen, showSamples } from "./samples.js";
import { Server } from "./server.js";
import { askToken } from "./token.js";

const at = (id) => document.getElementById(id);
const server = new Server();
const among = new Among();
const pad = new Pad(at("pad"), { changed: drawingChanged, enter: () => at("send").click() });

let model = null;
let owner = null; // { client, made: what it was made for, usable }
let sent = null; // { ciphertext, made, pixels } of the last item
let levels = null;
let busy = false;
let encoding = Promise.resolve();

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

/** Takes up another network. One that opens the same public key gets the ciphertext that was already sent. */
async function select(name) {
  const found = await server.model(name);
  model = found;
  const { encoder, outputs, classes, public_key, network } = model.parameters;
  const { width, height, dark } = encoder;
  const ink = model.page?.ink ?? { row: 0.5, column: 0.5, extent: 0.7, stroke: 0.1 };
  pad.shape = { width, height, dark, ink };
  at("lead-count").textContent = outputs;
  showSamples(model, (pixels) => pad.show(pixels));
  facts(at("names"), { "Pin of the parameters": model.pin, "Public key": public_key, Network: network });
  showOutputs(at("outputs"), outputs, null, null);
  showClasses(at("classes"), classes, null);
  at("label").textContent = "–";
  at("label-text").textContent = "no prediction yet";
  at("clear-text").textContent = "";
  among.show(model);
  await openOwner();
  if (model !== found) return;
  drawingChanged();
  if (sent?.made === owner.made) {
    at("bytes-text").textContent = "The same ciphertext again, opened with the key of this network.";
    await ask(sent);
  } else {
    sent = null;
  }
}

/** The owner for this model's key and encoder: kept while they stay the same, so that its masks are. */
async function openOwner() {
  const { encoder, public_key } = model.parameters;
  const made = JSON.stringify([public_key, encoder]);
  if (owner?.made === made) return;
  owner?.client.close();
  const client = new OwnerClient({ progress: showProgress, failed: (message) => notice(`Encryption: ${message}`) });
  owner = { client, made, usable: false };
  showProgress({ doing: "key" });
  const opened = await client.open(await server.publicKey(model.name), encoder);
  if (owner.client !== client) return;
  if (opened.publicKey !== public_key) {
    return notice(`The predictor handed out public key ${opened.publicKey}, but its parameters name ${public_key}. Nothing is sent.`);
  }
  if (model.policy.signature_required) {
    return notice("This network takes signed items only. Send them with `halflight encrypt`.");
  }
  owner.usable = true;
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

function drawingChanged() {
  at("pad-empty").hidden = !pad.empty;
  at("clear").disabled = pad.empty;
  at("undo").disabled = !pad.drawn;
  at("send").disabled = pad.empty || busy || !owner?.usable;
  const pixels = pad.empty ? null : pad.pixels();
  markChosen(pixels);
  const stale = sent !== null && !(pixels && same(pixels, sent.pixels));
  for (const id of ["outputs", "classes"]) at(id).classList.toggle("stale", stale);
  if (stale) at("label-text").textContent = "for what was sent before";
  encoding = encoding.then(() => showLevels(pixels)).catch(() => {});
}

/** Asks the worker for the levels of what is on the pad now; an older question is left out. */
async function showLevels(pixels) {
  if (!pixels || !owner?.usable) {
    at("levels").getContext("2d").clearRect(0, 0, 1e4, 1e4);
    levels = null;
    return;
  }
  if (pad.empty || !same(pixels, pad.pixels())) return;
  const { encoder } = model.parameters;
  levels = (await owner.client.encode(pixels)).u;
  drawLevels(at("levels"), levels, encoder);
  at("levels-text").textContent =
    `${number(pixels.length)} pixels become ${number(levels.length - 1)} levels from 0 to ${2 ** encoder.bits - 1}. They stay here.`;
}

async function send() {
  if (pad.empty || busy || !owner?.usable) return;
  busy = true;
  notice("");
  at("send").disabled = true;
  try {
    const pixels = pad.pixels();
    const { bytes, ms } = await owner.client.encrypt(pixels);
    showSent(bytes, pixels);
    sent = { ciphertext: bytes, made: owner.made, pixels };
    await ask(sent, ms);
  } finally {
    busy = false;
    drawingChanged();
  }
}

function showSent(bytes, pixels) {
  const { encoder, public_key } = model.parameters;
  at("size").textContent = size(bytes.length);
  at("size-text").textContent = "one ciphertext";
  dump(at("bytes"), bytes);
  const again = sent && sent.made === JSON.stringify([public_key, encoder]) && same(sent.pixels, pixels);
  at("bytes-text").textContent = again
    ? `The same picture, encrypted anew: ${percent(difference(bytes, sent.ciphertext))} of the bytes after the header are others.`
    : "First what it is, the public key, and the sizes; then points of an elliptic curve, which say nothing without a functional key.";
}

/** Sends a ciphertext to the model and shows all that it learned. */
async function ask(item, encrypted) {
  const asked = model;
  const context = asked.policy.context;
  const wrap = () => (context === null ? item.ciphertext : seal(item.ciphertext, context));
  const start = performance.now();
  const answer = await allowed(() => server.infer(asked.name, wrap()));
  if (model !== asked) return;
  const took = `${Math.round(performance.now() - start)} ms`;
  facts(at("times"), encrypted === undefined ? { "Sent and answered in": took } : { "Encrypted in": `${Math.round(encrypted)} ms, with a mask drawn before`, "Sent and answered in": took });
  showAnswer(answer, item);
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

function showAnswer(answer, item) {
  const { outputs, classes } = model.parameters;
  const cloud = model.page?.cloud.outputs;
  showOutputs(at("outputs"), outputs, answer.output, cloud && rangesOf(cloud));
  showClasses(at("classes"), classes, answer.probabilities);
  at("label").textContent = answer.label;
  at("label-text").textContent = `predicted, ${percent(Math.max(...answer.probabilities))}`;
  const known = model.samples.find((sample) => same(sample.pixels, item.pixels));
  const right = known && known.output.every((value, index) => value === answer.output[index]);
  at("clear-text").textContent = !known ? "" : right
    ? "Exactly what the network gives for this sample in the clear."
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
  for (const canvas of at("samples").querySelectorAll("canvas")) drawPixels(canvas);
});
guarded(start);
