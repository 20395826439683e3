// From strokes to pixels: laid out as the characters of the training data lie, then averaged over each pixel.

/** Samples of a pixel along each side. */
const FINE = 8;
/** A dot is not blown up to a whole character. */
const MOST = 4;

/**
 * Strokes (points from 0 to 1) moved and scaled so that their box has the place and extent of typical ink; in pixels.
 * `ink` is `{row, column, extent, stroke}` as fractions of the longer side.
 */
export function layOut(strokes, { width, height, ink }) {
  const points = strokes.flat();
  const bounds = (axis) => [Math.min(...points.map((p) => p[axis])), Math.max(...points.map((p) => p[axis]))];
  const [left, right] = bounds("x"), [top, bottom] = bounds("y");
  const side = Math.max(width, height);
  const extent = Math.max(right - left, bottom - top);
  const scale = Math.min(MOST, Math.max(0.01, ink.extent - ink.stroke) / Math.max(extent, 1e-6)) * side;
  const place = ({ x, y }) => ({
    x: ink.column * side + (x - (left + right) / 2) * scale,
    y: ink.row * side + (y - (top + bottom) / 2) * scale,
  });
  return strokes.map((stroke) => stroke.map(place));
}

/** Grey values of strokes given in pixels: ink 255 on 0, or turned around for dark ink on light paper. */
export function rasterise(strokes, { width, height, dark, ink }) {
  const canvas = new OffscreenCanvas(width * FINE, height * FINE);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.scale(FINE, FINE);
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = ink.stroke * Math.max(width, height);
  for (const stroke of strokes) {
    context.beginPath();
    context.moveTo(stroke[0].x, stroke[0].y);
    for (const { x, y } of stroke) context.lineTo(x, y);
    context.stroke();
  }
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const sums = new Float64Array(width * height);
  for (let row = 0; row < canvas.height; row++) {
    for (let column = 0; column < canvas.width; column++) {
      sums[Math.floor(row / FINE) * width + Math.floor(column / FINE)] += data[4 * (row * canvas.width + column) + 3];
    }
  }
  return Uint8Array.from(sums, (sum) => {
    const value = Math.round(sum / (FINE * FINE));
    return dark ? 255 - value : value;
  });
}
