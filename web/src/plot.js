// A cloud of points with one of them the reader's, on a canvas.

import { colours } from "./colours.js";

const MARGIN = 18;

/**
 * Draws `points` ([x, y]) in the colour and the shape of their group. `names` are the groups'; with `centres` they
 * stand in the middle of their points, else in a line at the top. `mine` is the reader's point, if there is one.
 */
export function drawCloud(canvas, { points, groups, names, centres, mine }) {
  const ratio = devicePixelRatio;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (width === 0) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const palette = colours();
  const top = MARGIN + (centres ? 0 : 18);
  const place = frame(mine ? [...points, mine] : points, { left: MARGIN, top, right: width - MARGIN, bottom: height - MARGIN });
  context.strokeStyle = palette.faint;
  context.strokeRect(0.5, 0.5, width - 1, height - 1);
  context.globalAlpha = points.length > 500 ? 0.5 : 0.75;
  points.forEach((point, item) => {
    context.fillStyle = context.strokeStyle = palette.classes[groups[item] % 10];
    mark(context, groups[item], ...place(point), 2.4);
  });
  context.globalAlpha = 1;
  context.font = `600 13px ${getComputedStyle(canvas).getPropertyValue("--sans")}`;
  context.textBaseline = "middle";
  if (centres) drawCentres(context, { points, groups, names, place, palette });
  else drawLegend(context, { names, palette });
  if (mine) drawMine(context, place(mine), { width, palette });
}

/** Fits the middle 99 % of each axis into a box; what lies outside is drawn at its edge. */
function frame(points, { left, top, right, bottom }) {
  const range = (axis) => {
    const sorted = points.map((point) => point[axis]).sort((a, b) => a - b);
    const low = sorted[Math.floor(0.005 * (sorted.length - 1))];
    const high = sorted[Math.ceil(0.995 * (sorted.length - 1))];
    return high > low ? [low, high] : [low - 1, low + 1];
  };
  const [x0, x1] = range(0), [y0, y1] = range(1);
  const within = (value, a, b) => Math.min(b, Math.max(a, value));
  return ([x, y]) => [
    within(left + ((x - x0) / (x1 - x0)) * (right - left), left - 8, right + 8),
    within(bottom - ((y - y0) / (y1 - y0)) * (bottom - top), top - 8, bottom + 8),
  ];
}

/** Circle, square, triangle, cross: groups differ by more than colour. */
function mark(context, group, x, y, radius) {
  context.beginPath();
  switch (group % 4) {
    case 1:
      context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
      context.stroke();
      return;
    case 2:
      context.moveTo(x, y - radius * 1.2);
      context.lineTo(x + radius * 1.1, y + radius);
      context.lineTo(x - radius * 1.1, y + radius);
      context.fill();
      return;
    case 3:
      context.moveTo(x - radius, y - radius);
      context.lineTo(x + radius, y + radius);
      context.moveTo(x + radius, y - radius);
      context.lineTo(x - radius, y + radius);
      context.stroke();
      return;
    default:
      context.arc(x, y, radius, 0, 7);
      context.fill();
  }
}

function drawCentres(context, { points, groups, names, place, palette }) {
  context.textAlign = "center";
  context.lineJoin = "round";
  names.forEach((name, group) => {
    const own = points.filter((_, item) => groups[item] === group).map(place);
    if (own.length === 0) return;
    const middle = (axis) => own.map((point) => point[axis]).sort((a, b) => a - b)[own.length >> 1];
    context.strokeStyle = palette.paper;
    context.lineWidth = 5;
    context.strokeText(name, middle(0), middle(1));
    context.fillStyle = palette.ink;
    context.fillText(name, middle(0), middle(1));
  });
  context.lineWidth = 1;
}

function drawLegend(context, { names, palette }) {
  context.textAlign = "left";
  let x = MARGIN;
  names.forEach((name, group) => {
    context.fillStyle = context.strokeStyle = palette.classes[group % 10];
    mark(context, group, x, 17, 4);
    context.fillStyle = palette.ink;
    context.fillText(name, x + 11, 18);
    x += 30 + context.measureText(name).width;
  });
}

function drawMine(context, [x, y], { width, palette }) {
  context.lineWidth = 5;
  context.strokeStyle = palette.paper;
  ring(context, x, y);
  context.lineWidth = 2.5;
  context.strokeStyle = palette.ink;
  ring(context, x, y);
  const leftward = x > width - 70;
  context.textAlign = leftward ? "right" : "left";
  context.lineWidth = 5;
  context.strokeStyle = palette.paper;
  context.strokeText("yours", x + (leftward ? -15 : 15), y);
  context.fillStyle = palette.ink;
  context.fillText("yours", x + (leftward ? -15 : 15), y);
  context.lineWidth = 1;
}

function ring(context, x, y) {
  context.beginPath();
  context.arc(x, y, 8, 0, 7);
  context.stroke();
}
