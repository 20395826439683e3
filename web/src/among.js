// The outputs among those of labelled items: by main class, and by the collateral attribute that must not show.

import { number } from "./answer.js";
import { drawCloud } from "./plot.js";
import { discriminant, nearest } from "./projection.js";

/** Neighbours that the captions count. */
const NEAREST = 25;

/** The two plots and their captions. */
export class Among {
  #page = null;
  #fit = null;
  #mine = null;
  #within = null;
  #classes = [];

  constructor() {
    const redraw = new ResizeObserver(() => this.draw());
    for (const canvas of [at("main-plot"), at("collateral-plot")]) redraw.observe(canvas);
  }

  /** A model; without page file there is no cloud to show. */
  show({ page, parameters }) {
    this.#page = page;
    this.#classes = parameters.classes;
    this.#mine = this.#within = null;
    at("among").hidden = !page;
    if (!page) return;
    this.#fit = discriminant(page.cloud.outputs, page.cloud.main);
    at("main-plot-title").textContent = `By ${page.main.name}, which the network is for`;
    at("among-text").textContent = `All that the server learned of an item is one point in ${parameters.outputs} ` +
      `dimensions. Here are two of their directions, among ${number(page.cloud.outputs.length)} labelled items.`;
    this.#describe();
    this.draw();
  }

  /** Outputs that were learned, with the label that was predicted; null takes them away. */
  place(answer) {
    if (!this.#page) return;
    this.#mine = answer;
    this.#within = answer && this.#withinClass(this.#classes.indexOf(answer.label));
    this.#describe();
    this.draw();
  }

  draw() {
    if (!this.#page) return;
    const { cloud, main, collateral } = this.#page;
    const mine = this.#mine?.output;
    const all = { points: cloud.outputs.map(this.#fit.project), mine: mine && this.#fit.project(mine) };
    drawCloud(at("main-plot"), { ...all, groups: cloud.main, names: main.classes, centres: true });
    const names = collateral.classes;
    if (this.#within) {
      const { rows, groups, fit } = this.#within;
      drawCloud(at("collateral-plot"), { points: rows.map(fit.project), groups, names, mine: fit.project(mine) });
    } else {
      drawCloud(at("collateral-plot"), { ...all, groups: cloud.collateral, names });
    }
  }

  /** The items of one class, in the directions that tell the attribute apart best; null where there is but one value. */
  #withinClass(index) {
    const { outputs, main, collateral } = this.#page.cloud;
    const items = outputs.map((_, item) => item).filter((item) => main[item] === index);
    const groups = items.map((item) => collateral[item]);
    if (new Set(groups).size < 2) return null;
    const rows = items.map((item) => outputs[item]);
    return { rows, groups, fit: discriminant(rows, groups) };
  }

  #describe() {
    const { cloud, main, collateral } = this.#page;
    const label = this.#mine?.label;
    at("collateral-plot-title").textContent = this.#within
      ? `By ${collateral.name}, which must not show: items of class ${label} only`
      : `By ${collateral.name}, which must not show`;
    if (!this.#mine) {
      at("main-plot-text").textContent = "In the directions that tell classes apart best.";
      at("collateral-plot-text").textContent = `The same points, marked by ${collateral.name}.`;
      return;
    }
    const near = nearest(this.#fit, cloud.outputs, this.#mine.output, NEAREST);
    at("main-plot-text").textContent =
      `Of the ${near.length} labelled items nearest to yours, ${counts(near.map((item) => cloud.main[item]), main.classes)}.`;
    if (!this.#within) {
      at("collateral-plot-text").textContent = `The same points, marked by ${collateral.name}.`;
      return;
    }
    const { rows, groups, fit } = this.#within;
    const close = nearest(fit, rows, this.#mine.output, NEAREST);
    const guess = counts(close.map((item) => groups[item]), collateral.classes);
    at("collateral-plot-text").textContent =
      `In the directions that tell ${collateral.name} apart best. Of the ${close.length} nearest, ${guess}.`;
  }
}

/** "22 are 4 and 3 are 9": how many of each, most first. */
function counts(values, names) {
  const tally = new Map();
  for (const value of values) tally.set(value, (tally.get(value) ?? 0) + 1);
  const parts = [...tally].sort((a, b) => b[1] - a[1]).map(([value, count]) => `${count} ${count === 1 ? "is" : "are"} ${names[value]}`);
  return parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts[0];
}

const at = (id) => document.getElementById(id);
