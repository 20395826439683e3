// The drawing area: strokes by pointer or keys, or a sample; what it gives are the pixels that the encoder takes.

import { layOut, rasterise } from "./strokes.js";
import { colours } from "./colours.js";

const STEP = 0.02;
/** Share of the pad that a character is drawn over, about: strokes are as wide there as they will be in the picture. */
const DRAWN = 0.7;

/** Draws on a canvas; `changed()` hears of every change, `enter()` of the enter key. */
export class Pad {
  #canvas;
  #shape = { width: 28, height: 28, dark: false, ink: { row: 0.5, column: 0.5, extent: 0.7, stroke: 0.1 } };
  #strokes = [];
  #sample = null;
  #pen = { x: 0.5, y: 0.5, down: false, shown: false };
  #changed;

  constructor(canvas, { changed, enter }) {
    this.#canvas = canvas;
    this.#changed = changed;
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("keydown", (event) => this.#key(event, enter));
    canvas.addEventListener("blur", () => this.#showPen(false));
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** The pictures that a model takes; keeps the drawing. */
  set shape(shape) {
    const same = this.#shape.width === shape.width && this.#shape.height === shape.height;
    this.#shape = shape;
    if (!same) this.#sample = null;
    this.draw();
  }

  get empty() {
    return this.#sample === null && this.#strokes.length === 0;
  }

  get drawn() {
    return this.#strokes.length > 0;
  }

  /** Grey values, row by row, as the model's data has them. */
  pixels() {
    if (this.#sample) return this.#sample.slice();
    return rasterise(layOut(this.#strokes, this.#shape), this.#shape);
  }

  show(sample) {
    this.#strokes = [];
    this.#sample = sample;
    this.#after();
  }

  clear() {
    this.show(null);
  }

  undo() {
    this.#strokes.pop();
    this.#after();
  }

  draw() {
    const { canvas, context, side } = this.#fitted();
    const { ink } = colours();
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (this.#sample) this.#drawSample(context, side);
    context.strokeStyle = context.fillStyle = ink;
    context.lineCap = context.lineJoin = "round";
    const { stroke: width, extent } = this.#shape.ink;
    context.lineWidth = ((width * DRAWN) / extent) * side;
    for (const stroke of this.#strokes) trace(context, stroke, side);
    if (this.#pen.shown) {
      context.beginPath();
      context.arc(this.#pen.x * side, this.#pen.y * side, 0.02 * side, 0, 7);
      context.lineWidth = 0.008 * side;
      if (this.#pen.down) context.fill(); else context.stroke();
    }
  }

  #drawSample(context, side) {
    const { width, height, dark } = this.#shape;
    const cell = side / Math.max(width, height);
    const left = (side - width * cell) / 2, top = (side - height * cell) / 2;
    context.fillStyle = colours().ink;
    this.#sample.forEach((value, at) => {
      context.globalAlpha = (dark ? 255 - value : value) / 255;
      // A hair wider than its cell, so that no seam shows.
      context.fillRect(left + (at % width) * cell, top + Math.floor(at / width) * cell, cell + 0.6, cell + 0.6);
    });
    context.globalAlpha = 1;
  }

  #fitted() {
    const canvas = this.#canvas;
    const side = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
    if (canvas.width !== side) canvas.width = canvas.height = side;
    return { canvas, context: canvas.getContext("2d"), side };
  }

  #press(event) {
    if (event.button !== 0) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#sample = null;
    this.#strokes.push([this.#place(event)]);
    this.#after();
  }

  #move(event) {
    if ((event.buttons & 1) === 0 || !this.#canvas.hasPointerCapture(event.pointerId)) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length > 0 ? events : [event]) this.#strokes.at(-1)?.push(this.#place(each));
    this.#after();
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    const share = (value) => Math.min(1, Math.max(0, value));
    return { x: share((event.clientX - box.left) / box.width), y: share((event.clientY - box.top) / box.height) };
  }

  #key(event, enter) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const pen = this.#pen;
    if (steps[event.key]) {
      const scale = event.shiftKey ? 3 * STEP : STEP;
      pen.x = Math.min(1, Math.max(0, pen.x + steps[event.key][0] * scale));
      pen.y = Math.min(1, Math.max(0, pen.y + steps[event.key][1] * scale));
      if (pen.down) this.#strokes.at(-1)?.push({ x: pen.x, y: pen.y });
    } else if (event.key === " ") {
      pen.down = !pen.down;
      if (pen.down) {
        this.#sample = null;
        this.#strokes.push([{ x: pen.x, y: pen.y }]);
      }
    } else if (event.key === "Enter") {
      enter();
    } else {
      return;
    }
    event.preventDefault();
    this.#showPen(true);
    this.#after();
  }

  #showPen(shown) {
    this.#pen.shown = shown;
    if (!shown) this.#pen.down = false;
    this.draw();
  }

  #after() {
    this.draw();
    this.#changed();
  }
}

function trace(context, stroke, side) {
  context.beginPath();
  context.moveTo(stroke[0].x * side, stroke[0].y * side);
  for (const { x, y } of stroke) context.lineTo(x * side, y * side);
  context.stroke();
}
