// Fisher's discriminant: the two directions in which groups lie farthest apart for their width.

/**
 * Fits to `rows` (arrays of numbers) with a group for each. `project(row)` gives two coordinates; `whiten(row)` gives
 * coordinates in which every group is about as wide in all directions, for distances. Where groups leave directions
 * open, as two groups leave the second, it is the widest that remains.
 */
export function discriminant(rows, groups) {
  const size = rows[0].length;
  const { centre, scale } = moments(rows, size);
  const standard = (row) => row.map((value, at) => (Number(value) - centre[at]) / scale[at]);
  const points = rows.map(standard);
  const means = groupMeans(points, groups, size);
  const within = square(size, 0), spread = square(size, 0);
  points.forEach((point, item) => {
    const mean = means.get(groups[item]).mean;
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < size; b++) {
        within[a][b] += ((point[a] - mean[a]) * (point[b] - mean[b])) / points.length;
        spread[a][b] += (point[a] * point[b]) / points.length;
      }
    }
  });
  for (let a = 0; a < size; a++) within[a][a] += 1e-6;
  const lower = cholesky(within);
  const between = square(size, 0);
  for (const { mean, count } of means.values()) {
    const white = solveLower(lower, mean);
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < size; b++) between[a][b] += (white[a] * white[b] * count) / points.length;
    }
  }
  for (let a = 0; a < size; a++) for (let b = 0; b < size; b++) between[a][b] += 1e-6 * spread[a][b];
  const directions = leading(between);
  const whiten = (row) => solveLower(lower, standard(row));
  const project = (row) => {
    const white = whiten(row);
    return directions.map((direction) => dot(direction, white));
  };
  return { project, whiten };
}

/** The items whose whitened outputs lie nearest: indices, nearest first. */
export function nearest(fit, rows, output, count) {
  const at = fit.whiten(output);
  const distance = (row) => fit.whiten(row).reduce((sum, value, axis) => sum + (value - at[axis]) ** 2, 0);
  const ranked = rows.map((row, item) => ({ item, distance: distance(row) }));
  return ranked.sort((a, b) => a.distance - b.distance).slice(0, count).map(({ item }) => item);
}

function moments(rows, size) {
  const centre = Array(size).fill(0), scale = Array(size).fill(0);
  for (const row of rows) row.forEach((value, at) => { centre[at] += Number(value) / rows.length; });
  for (const row of rows) row.forEach((value, at) => { scale[at] += (Number(value) - centre[at]) ** 2 / rows.length; });
  return { centre, scale: scale.map((variance) => Math.sqrt(variance) || 1) };
}

function groupMeans(points, groups, size) {
  const means = new Map();
  points.forEach((point, item) => {
    const group = means.get(groups[item]) ?? { mean: Array(size).fill(0), count: 0 };
    point.forEach((value, at) => { group.mean[at] += value; });
    group.count += 1;
    means.set(groups[item], group);
  });
  for (const group of means.values()) group.mean = group.mean.map((sum) => sum / group.count);
  return means;
}

function cholesky(matrix) {
  const lower = square(matrix.length, 0);
  for (let row = 0; row < matrix.length; row++) {
    for (let column = 0; column <= row; column++) {
      const rest = matrix[row][column] - dot(lower[row].slice(0, column), lower[column].slice(0, column));
      lower[row][column] = row === column ? Math.sqrt(Math.max(rest, 1e-9)) : rest / lower[column][column];
    }
  }
  return lower;
}

function solveLower(lower, vector) {
  const out = [];
  lower.forEach((row, at) => out.push((vector[at] - dot(row.slice(0, at), out)) / row[at]));
  return out;
}

/** The two leading eigenvectors of a symmetric matrix, by iteration from a fixed start. */
function leading(matrix) {
  const found = [];
  for (let which = 0; which < Math.min(2, matrix.length); which++) {
    let vector = matrix.map((_, at) => 1 + at * (which + 1) * 0.37);
    for (let round = 0; round < 300; round++) {
      for (const known of found) {
        const overlap = dot(vector, known);
        vector = vector.map((value, at) => value - overlap * known[at]);
      }
      const next = matrix.map((row) => dot(row, vector));
      const length = Math.sqrt(dot(next, next));
      if (length < 1e-30) break;
      vector = next.map((value) => value / length);
    }
    found.push(vector);
  }
  // A single output has one direction only; the second axis is then flat.
  if (found.length === 1) found.push([0]);
  return found;
}

const square = (size, value) => Array.from({ length: size }, () => Array(size).fill(value));
const dot = (a, b) => a.reduce((sum, value, at) => sum + value * b[at], 0);
