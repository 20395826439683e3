// Samples to pick, as the predictor's page file has them.

import { colours } from "./colours.js";

const pictures = new WeakMap();

/** Fills the list of samples of a model and gives the model their pixels; `pick(sample)` hears of a choice. */
export function showSamples(model, pick) {
  const { page } = model;
  const block = document.getElementById("samples-block");
  model.samples = page ? page.samples.map((sample) => ({ ...sample, pixels: decode(sample.pixels) })) : [];
  block.hidden = model.samples.length === 0;
  const items = model.samples.map((sample, index) => {
    const item = document.createElement("li");
    const button = item.appendChild(document.createElement("button"));
    button.type = "button";
    const name = `${page.main.classes[sample.main]}, ${page.collateral.name} ${page.collateral.classes[sample.collateral]}`;
    button.title = name;
    button.setAttribute("aria-label", name);
    button.setAttribute("aria-pressed", "false");
    button.onclick = () => pick(sample);
    button.dataset.sample = String(index);
    if (sample.values) {
      button.className = "words";
      button.textContent = name;
      button.removeAttribute("aria-label");
      return item;
    }
    const canvas = button.appendChild(document.createElement("canvas"));
    const { width, height } = page;
    pictures.set(canvas, { pixels: sample.pixels, width, height, dark: model.parameters.encoder.dark, upward: isSound(page) });
    drawPixels(canvas);
    return item;
  });
  document.getElementById("samples").replaceChildren(...items);
}

/** Marks the sample whose pixels these are. */
export function markChosen(model, pixels) {
  for (const button of document.querySelectorAll("#samples button")) {
    const own = model.samples[Number(button.dataset.sample)].pixels;
    const chosen = pixels !== null && own.length === pixels.length && own.every((value, at) => value === pixels[at]);
    button.setAttribute("aria-pressed", String(chosen));
  }
}

/** Keeps what a canvas shows, and draws it. */
export function showPixels(canvas, picture) {
  pictures.set(canvas, picture);
  drawPixels(canvas);
}

/** Draws a sample in the page's ink, whatever its own paper is; bands of sound from low to high. */
export function drawPixels(canvas) {
  const picture = pictures.get(canvas);
  if (!picture) return;
  const { pixels, width, height, dark, upward } = picture;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.fillStyle = colours().ink;
  pixels.forEach((value, at) => {
    context.globalAlpha = (dark ? 255 - value : value) / 255;
    const row = Math.floor(at / width);
    context.fillRect(at % width, upward ? height - 1 - row : row, 1, 1);
  });
}

const isSound = (page) => Boolean(page.form?.sound);

function decode(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
