// Samples to pick, as the predictor's page file has them.

import { colours } from "./colours.js";

const pictures = new WeakMap();

/** Fills the list of samples of a model and gives the model their pixels; `pick(pixels)` hears of a choice. */
export function showSamples(model, pick) {
  const { page } = model;
  const block = document.getElementById("samples-block");
  model.samples = page ? page.samples.map((sample) => ({ ...sample, pixels: decode(sample.pixels) })) : [];
  block.hidden = model.samples.length === 0;
  const items = model.samples.map((sample) => {
    const item = document.createElement("li");
    const button = item.appendChild(document.createElement("button"));
    button.type = "button";
    const name = `${page.main.classes[sample.main]}, ${page.collateral.name} ${page.collateral.classes[sample.collateral]}`;
    button.title = name;
    button.setAttribute("aria-label", name);
    button.setAttribute("aria-pressed", "false");
    button.onclick = () => pick(sample.pixels.slice());
    const canvas = button.appendChild(document.createElement("canvas"));
    pictures.set(canvas, { pixels: sample.pixels, width: page.width, height: page.height, dark: model.parameters.encoder.dark });
    drawPixels(canvas);
    return item;
  });
  document.getElementById("samples").replaceChildren(...items);
}

/** Marks the sample whose pixels these are. */
export function markChosen(pixels) {
  for (const button of document.querySelectorAll("#samples button")) {
    const own = pictures.get(button.firstChild).pixels;
    const chosen = pixels !== null && own.length === pixels.length && own.every((value, at) => value === pixels[at]);
    button.setAttribute("aria-pressed", String(chosen));
  }
}

/** Draws a sample in the page's ink, whatever its own paper is. */
export function drawPixels(canvas) {
  const { pixels, width, height, dark } = pictures.get(canvas);
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.fillStyle = colours().ink;
  pixels.forEach((value, at) => {
    context.globalAlpha = (dark ? 255 - value : value) / 255;
    context.fillRect(at % width, Math.floor(at / width), 1, 1);
  });
}

function decode(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
