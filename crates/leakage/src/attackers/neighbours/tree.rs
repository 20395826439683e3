//! A k-d tree with bucket leaves over a few columns.

/// Rows per leaf: below this a scan is cheaper than a branch.
const LEAF: usize = 24;

/// Rows reordered so that every node owns a contiguous range.
pub(super) struct Tree {
    rows: Vec<f32>,
    items: Vec<u32>,
    width: usize,
    nodes: Vec<Node>,
}

enum Node {
    Leaf { from: usize, to: usize },
    Split { axis: usize, at: f32, left: usize, right: usize },
}

impl Tree {
    /// Splits at the median of the widest column; time O(N·log N·width).
    pub fn build(rows: &[f32], width: usize) -> Tree {
        let mut items: Vec<u32> = (0..(rows.len() / width) as u32).collect();
        let mut nodes = Vec::new();
        let all = items.len();
        grow(rows, width, &mut items, 0, all, &mut nodes);
        let reordered = items.iter().flat_map(|&i| {
            let from = i as usize * width;
            &rows[from..from + width]
        });
        Tree { rows: reordered.copied().collect(), width, nodes, items }
    }

    /// The `k` nearest rows as (squared distance, item), nearest first, into `found`.
    /// `k` must be 1 to the number of rows.
    pub fn nearest(&self, query: &[f32], k: usize, found: &mut Vec<(f32, u32)>) {
        found.clear();
        let mut offsets = vec![0.0; self.width];
        self.descend(0, query, k, 0.0, &mut offsets, found);
        found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    }

    /// `gap` is the squared distance from the query to the node's box, `offsets` its components.
    fn descend(&self, node: usize, query: &[f32], k: usize, gap: f32, offsets: &mut [f32], heap: &mut Vec<(f32, u32)>) {
        match self.nodes[node] {
            Node::Leaf { from, to } => {
                let rows = self.rows[from * self.width..to * self.width].chunks_exact(self.width);
                for (row, &item) in rows.zip(&self.items[from..to]) {
                    let distance: f32 = row.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum();
                    offer(heap, k, (distance, item));
                }
            }
            Node::Split { axis, at, left, right } => {
                let offset = query[axis] - at;
                let (near, far) = if offset < 0.0 { (left, right) } else { (right, left) };
                self.descend(near, query, k, gap, offsets, heap);
                let before = offsets[axis];
                let beyond = gap - before * before + offset * offset;
                // A small slack keeps rounding from hiding an equally distant row.
                if heap.len() < k || beyond <= heap[0].0 * (1.0 + 1e-5) {
                    offsets[axis] = offset;
                    self.descend(far, query, k, beyond, offsets, heap);
                    offsets[axis] = before;
                }
            }
        }
    }
}

fn grow(rows: &[f32], width: usize, items: &mut [u32], from: usize, to: usize, nodes: &mut Vec<Node>) -> usize {
    let value = |item: u32, axis: usize| rows[item as usize * width + axis];
    let here = nodes.len();
    nodes.push(Node::Leaf { from, to });
    let range = &mut items[from..to];
    let spread = |axis: usize| {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for &item in range.iter() {
            low = low.min(value(item, axis));
            high = high.max(value(item, axis));
        }
        high - low
    };
    if range.len() <= LEAF {
        return here;
    }
    let widest = (0..width).map(|a| (spread(a), a));
    let Some((spread, axis)) = widest.max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return here;
    };
    if spread <= 0.0 {
        return here;
    }
    let middle = range.len() / 2;
    range.select_nth_unstable_by(middle, |&a, &b| value(a, axis).total_cmp(&value(b, axis)).then(a.cmp(&b)));
    let at = value(range[middle], axis);
    let left = grow(rows, width, items, from, from + middle, nodes);
    let right = grow(rows, width, items, from + middle, to, nodes);
    nodes[here] = Node::Split { axis, at, left, right };
    here
}

/// A max-heap that keeps the k smallest values.
fn offer(heap: &mut Vec<(f32, u32)>, k: usize, entry: (f32, u32)) {
    let after = |a: (f32, u32), b: (f32, u32)| a.0 > b.0 || (a.0 == b.0 && a.1 > b.1);
    if heap.len() < k {
        heap.push(entry);
        let mut at = heap.len() - 1;
        while at > 0 && after(heap[at], heap[(at - 1) / 2]) {
            heap.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
        return;
    }
    if !after(heap[0], entry) {
        return;
    }
    let mut at = 0;
    loop {
        let left = 2 * at + 1;
        if left >= k {
            break;
        }
        let right = left + 1;
        let child = if right < k && after(heap[right], heap[left]) { right } else { left };
        if !after(heap[child], entry) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = entry;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_full_scan(
            // Few distinct values, so that ties and duplicates are frequent.
            values in prop::collection::vec(-4i8..4, 3..900),
            query in prop::collection::vec(-5i8..5, 3),
            k in 1usize..60,
        ) {
            let rows: Vec<f32> = values.iter().map(|&x| x as f32 / 2.0).collect();
            let rows = &rows[..rows.len() / 3 * 3];
            let query: Vec<f32> = query.iter().map(|&x| x as f32 / 2.0).collect();
            let k = k.min(rows.len() / 3);
            let mut expected: Vec<(f32, u32)> = rows.chunks_exact(3).enumerate().map(|(i, row)| {
                (row.iter().zip(&query).map(|(a, b)| (a - b) * (a - b)).sum(), i as u32)
            }).collect();
            expected.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            expected.truncate(k);
            let mut found = Vec::new();
            Tree::build(rows, 3).nearest(&query, k, &mut found);
            prop_assert_eq!(found, expected);
        }
    }
}
