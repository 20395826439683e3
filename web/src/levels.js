// The levels of an item: the small integers that are encrypted.

import { colours } from "./colours.js";

/** Draws the left vector `u` (its first coordinate is the constant 1) where its cells lie in the item. */
export function drawLevels(canvas, u, encoder) {
  const { columns, rows, places } = layout(u.length - 1, encoder);
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  context.fillStyle = colours().ink;
  const highest = 2 ** encoder.bits - 1;
  places.forEach((place, at) => {
    context.globalAlpha = u[at + 1] / highest;
    context.fillRect(place % columns, Math.floor(place / columns), 1, 1);
  });
}

/** Cells of a picture keep their place; columns, coefficients and components have none and fill a square in order. */
function layout(count, encoder) {
  if (encoder.height > 1 && (encoder.map === "cells" || encoder.map.scaled)) {
    const columns = encoder.width / encoder.pooling;
    return { columns, rows: encoder.height / encoder.pooling, places: encoder.cells };
  }
  const columns = Math.ceil(Math.sqrt(count));
  return { columns, rows: Math.ceil(count / columns), places: Array.from({ length: count }, (_, at) => at) };
}
