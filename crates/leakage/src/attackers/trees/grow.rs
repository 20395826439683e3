//! Growing one tree.

use rand::RngExt;

/// When to stop and how to choose splits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growth {
    /// Longest path from the root.
    pub depth: usize,
    /// Fewest rows in a leaf.
    pub leaf: usize,
    /// Columns tried per split.
    pub columns: usize,
    /// Added to the weight of a leaf, shrinking its value.
    pub shrink: f32,
    /// One random threshold per column instead of the best one.
    pub random_threshold: bool,
}

/// The training targets of a tree: per row `channels` targets g and a weight h.
///
/// The gain of a node is Σ_c G_c²/(H + shrink) with G, H its sums: with one-hot targets and h = 1
/// that is Gini's criterion, with gradients and second derivatives it is Newton boosting's.
#[derive(Clone, Copy)]
pub(super) struct Targets<'a> {
    pub gradients: &'a [f32],
    pub channels: usize,
    /// `None` for weight 1.
    pub weights: Option<&'a [f32]>,
}

/// A binary tree; leaf values are G_c/(H + shrink) in `values`.
pub(super) struct Tree {
    nodes: Vec<Node>,
    values: Vec<f32>,
    channels: usize,
}

/// `axis` is [`LEAF`] for a leaf, whose `child` indexes the values; otherwise rows with code ≤ `at`
/// go to `child`, the others to `child + 1`.
struct Node {
    axis: u16,
    at: u8,
    child: u32,
}

const LEAF: u16 = u16::MAX;

impl Tree {
    /// Grows on the rows listed (repeats allowed), depth first; reorders the list.
    pub fn grow(codes: &[Vec<u8>], rows: &mut [u32], targets: Targets, growth: &Growth, rng: &mut impl RngExt) -> Tree {
        let mut tree =
            Tree { nodes: vec![Node { axis: LEAF, at: 0, child: 0 }], values: Vec::new(), channels: targets.channels };
        let mut search = Search::new(codes, targets, *growth);
        let mut open = vec![(0usize, 0usize, rows.len(), 0usize)];
        while let Some((node, from, to, depth)) = open.pop() {
            let here = &mut rows[from..to];
            let sums = search.sums(here);
            let split = if depth < growth.depth && here.len() >= 2 * growth.leaf {
                search.split(here, &sums, rng)
            } else {
                None
            };
            let Some((axis, at)) = split else {
                tree.nodes[node].child = tree.values.len() as u32;
                let weight = sums[targets.channels] + growth.shrink;
                let sums = &sums[..targets.channels];
                tree.values.extend(sums.iter().map(|g| g / weight.max(1e-12)));
                continue;
            };
            let middle = from + partition(here, |row| codes[axis][row as usize] <= at);
            let child = tree.nodes.len();
            tree.nodes[node] = Node { axis: axis as u16, at, child: child as u32 };
            for _ in 0..2 {
                tree.nodes.push(Node { axis: LEAF, at: 0, child: 0 });
            }
            open.push((child + 1, middle, to, depth + 1));
            open.push((child, from, middle, depth + 1));
        }
        tree
    }

    /// Values of the leaf that a row falls into.
    pub fn leaf(&self, codes: &[Vec<u8>], row: usize) -> &[f32] {
        let mut node = &self.nodes[0];
        while node.axis != LEAF {
            let right = codes[node.axis as usize][row] > node.at;
            node = &self.nodes[node.child as usize + usize::from(right)];
        }
        &self.values[node.child as usize..][..self.channels]
    }
}

/// Stable, so that the order depends only on the rows. Returns the size of the left part.
fn partition(rows: &mut [u32], left: impl Fn(u32) -> bool) -> usize {
    let (mut i, mut j) = (0, rows.len());
    while i < j {
        if left(rows[i]) {
            i += 1;
        } else {
            j -= 1;
            rows.swap(i, j);
        }
    }
    i
}

/// Working memory of the search for splits.
struct Search<'a> {
    codes: &'a [Vec<u8>],
    targets: Targets<'a>,
    growth: Growth,
    axes: Vec<usize>,
    /// Per bin: channels, weight, rows.
    histogram: Vec<f32>,
    /// The same of the rows on either side of a cut.
    sides: [Vec<f32>; 2],
}

impl<'a> Search<'a> {
    fn new(codes: &'a [Vec<u8>], targets: Targets<'a>, growth: Growth) -> Search<'a> {
        Search {
            codes,
            targets,
            growth,
            axes: (0..codes.len()).collect(),
            histogram: vec![0.0; 256 * (targets.channels + 2)],
            sides: [vec![0.0; targets.channels + 2], vec![0.0; targets.channels + 2]],
        }
    }

    /// Sums of the targets, then of the weights, then the number of rows.
    fn sums(&self, rows: &[u32]) -> Vec<f32> {
        let mut sums = vec![0.0; self.targets.channels + 2];
        rows.iter().for_each(|&row| self.add(&mut sums, row));
        sums
    }

    #[inline]
    fn add(&self, cell: &mut [f32], row: u32) {
        let Targets { gradients, channels, weights } = self.targets;
        let row = row as usize;
        for (cell, g) in cell.iter_mut().zip(&gradients[row * channels..(row + 1) * channels]) {
            *cell += g;
        }
        cell[channels] += weights.map_or(1.0, |w| w[row]);
        cell[channels + 1] += 1.0;
    }

    fn gain(&self, sums: &[f32]) -> f32 {
        let channels = self.targets.channels;
        let square: f32 = sums[..channels].iter().map(|g| g * g).sum();
        square / (sums[channels] + self.growth.shrink).max(1e-12)
    }

    /// Best (column, largest code of the left part), or `None` where no split gains anything.
    fn split(&mut self, rows: &[u32], sums: &[f32], rng: &mut impl RngExt) -> Option<(usize, u8)> {
        let base = self.gain(sums) * (1.0 + 1e-6) + 1e-9;
        let mut best: Option<(f32, usize, u8)> = None;
        let wanted = self.growth.columns.min(self.axes.len());
        let mut tried = 0;
        for i in 0..self.axes.len() {
            if tried == wanted {
                break;
            }
            let swap = rng.random_range(i..self.axes.len());
            self.axes.swap(i, swap);
            let axis = self.axes[i];
            let column = &self.codes[axis];
            let (mut low, mut high) = (u8::MAX, 0);
            for &row in rows {
                low = low.min(column[row as usize]);
                high = high.max(column[row as usize]);
            }
            // A constant column does not count as tried.
            if low == high {
                continue;
            }
            tried += 1;
            let cut = match self.growth.random_threshold {
                true => self.cut_at(rows, sums, axis, rng.random_range(low..high)),
                false => self.best_cut(rows, sums, axis, low, high),
            };
            if let Some((gain, at)) = cut
                && gain > best.map_or(base, |b| b.0)
            {
                best = Some((gain, axis, at));
            }
        }
        best.map(|(_, axis, at)| (axis, at))
    }

    /// The gain of one cut, `None` where it leaves too few rows on a side.
    fn cut_at(&mut self, rows: &[u32], sums: &[f32], axis: usize, at: u8) -> Option<(f32, u8)> {
        let [mut left, mut right] = std::mem::take(&mut self.sides);
        let column = &self.codes[axis];
        left.fill(0.0);
        rows.iter().filter(|&&row| column[row as usize] <= at).for_each(|&row| self.add(&mut left, row));
        right.iter_mut().zip(sums.iter().zip(&left)).for_each(|(right, (sum, left))| *right = sum - left);
        let gain = self.gain_of_both(&left, &right);
        self.sides = [left, right];
        gain.map(|gain| (gain, at))
    }

    fn best_cut(&mut self, rows: &[u32], sums: &[f32], axis: usize, low: u8, high: u8) -> Option<(f32, u8)> {
        let cell = self.targets.channels + 2;
        let mut histogram = std::mem::take(&mut self.histogram);
        let used = &mut histogram[low as usize * cell..(high as usize + 1) * cell];
        self.fill(used, rows, &self.codes[axis], low);
        let [mut left, mut right] = std::mem::take(&mut self.sides);
        left.fill(0.0);
        right.copy_from_slice(sums);
        let mut best: Option<(f32, u8)> = None;
        for (bin, sums) in (low..high).zip(used.chunks_exact(cell)) {
            // A cut after an empty bin equals the previous cut.
            if sums[cell - 1] == 0.0 {
                continue;
            }
            for ((left, right), sum) in left.iter_mut().zip(&mut right).zip(sums) {
                *left += sum;
                *right -= sum;
            }
            if let Some(gain) = self.gain_of_both(&left, &right)
                && best.is_none_or(|b| gain > b.0)
            {
                best = Some((gain, bin));
            }
        }
        (self.histogram, self.sides) = (histogram, [left, right]);
        best
    }

    /// The histogram of the rows over the bins from `low` on.
    fn fill(&self, used: &mut [f32], rows: &[u32], column: &[u8], low: u8) {
        used.fill(0.0);
        let Targets { gradients, channels, weights } = self.targets;
        // Two classes without weights, the usual case: no loop over channels, and the weight is the count.
        if channels == 1 && weights.is_none() {
            let (bins, _) = used.as_chunks_mut::<3>();
            for &row in rows {
                let [gradient, _, count] = &mut bins[(column[row as usize] - low) as usize];
                *gradient += gradients[row as usize];
                *count += 1.0;
            }
            bins.iter_mut().for_each(|[_, weight, count]| *weight = *count);
            return;
        }
        let cell = channels + 2;
        for &row in rows {
            let at = (column[row as usize] - low) as usize * cell;
            self.add(&mut used[at..at + cell], row);
        }
    }

    fn gain_of_both(&self, left: &[f32], right: &[f32]) -> Option<f32> {
        let (least, count) = (self.growth.leaf as f32, left.len() - 1);
        (left[count] >= least && right[count] >= least).then(|| self.gain(left) + self.gain(right))
    }
}
