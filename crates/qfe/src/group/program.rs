//! Straight-line programs of point additions, run in batches.
//!
//! A program turns input points into output points by `slot ← ±slot ± slot`.
//! Additions of equal depth are independent, so each depth is one batch with one
//! inversion. The same program serves several copies of its inputs at once (the
//! two halves of a ciphertext): slot `i` of copy `c` lies at `i·copies + c`.

use super::{
    batch::{Additions, add_all},
    vector::{Adder, from_shifted},
};
use crate::raw::{Coordinate, Point, ifma::Ifma};

const NEGATIVE: u32 = 1 << 31;

/// A signed reference to an input or to a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Node(u32);

impl Node {
    pub(crate) fn input(index: usize) -> Self {
        Self(index as u32)
    }

    pub(crate) fn neg_if(self, negative: bool) -> Self {
        Self(if negative { self.0 ^ NEGATIVE } else { self.0 })
    }

    pub(super) fn index(self) -> usize {
        (self.0 & !NEGATIVE) as usize
    }

    pub(super) fn is_negative(self) -> bool {
        self.0 & NEGATIVE != 0
    }
}

#[derive(Clone, Copy)]
struct Op {
    out: u32,
    a: Node,
    b: Node,
}

/// Collects additions and their depths.
pub(crate) struct Builder {
    inputs: usize,
    ops: Vec<(Node, Node)>,
    depth: Vec<u32>,
}

impl Builder {
    pub(crate) fn new(inputs: usize) -> Self {
        Self { inputs, ops: Vec::new(), depth: Vec::new() }
    }

    /// All additions so far.
    #[cfg(test)]
    pub(super) fn additions(&self) -> impl Iterator<Item = (Node, Node)> {
        self.ops.iter().copied()
    }

    fn depth(&self, node: Node) -> u32 {
        node.index().checked_sub(self.inputs).map_or(0, |k| self.depth[k])
    }

    /// The first operand of every addition is positive: the sum takes its sign.
    pub(crate) fn add(&mut self, a: Node, b: Node) -> Node {
        let depth = 1 + self.depth(a).max(self.depth(b));
        let negative = a.is_negative();
        self.ops.push((a.neg_if(negative), b.neg_if(negative)));
        self.depth.push(depth);
        Node((self.inputs + self.ops.len() - 1) as u32).neg_if(negative)
    }

    pub(crate) fn double(&mut self, a: Node) -> Node {
        self.add(a, a)
    }

    /// A balanced tree of additions; `None` for no terms. The terms are used up.
    pub(crate) fn sum(&mut self, terms: &mut [Node]) -> Option<Node> {
        let mut count = terms.len();
        while count > 1 {
            let half = count / 2;
            for k in 0..half {
                terms[k] = self.add(terms[2 * k], terms[2 * k + 1]);
            }
            if count % 2 == 1 {
                terms[half] = terms[count - 1];
            }
            count -= half;
        }
        terms.first().copied()
    }

    /// Orders the additions by depth and gives results slots that are used again
    /// once their last reader is done.
    pub(crate) fn finish(self, outputs: &[Option<Node>]) -> Program {
        let inputs = self.inputs;
        let depths = self.depth.iter().copied().max().unwrap_or(0) as usize;
        let mut by_depth: Vec<Vec<usize>> = vec![Vec::new(); depths + 1];
        for (k, &depth) in self.depth.iter().enumerate() {
            by_depth[depth as usize].push(k);
        }
        let mut last_read = vec![0u32; self.ops.len()];
        let read = |node: Node, at: u32, last: &mut Vec<u32>| {
            if let Some(k) = node.index().checked_sub(inputs) {
                last[k] = last[k].max(at);
            }
        };
        for (k, &(a, b)) in self.ops.iter().enumerate() {
            read(a, self.depth[k], &mut last_read);
            read(b, self.depth[k], &mut last_read);
        }
        for node in outputs.iter().flatten() {
            read(*node, u32::MAX, &mut last_read);
        }
        let mut slot = vec![0u32; self.ops.len()];
        let mut free: Vec<u32> = Vec::new();
        let mut expiring: Vec<Vec<usize>> = vec![Vec::new(); depths + 2];
        let mut slots = 0;
        let mut rounds = Vec::new();
        let place = |node: Node, slot: &[u32]| match node.index().checked_sub(inputs) {
            Some(k) => Node(inputs as u32 + slot[k]).neg_if(node.is_negative()),
            None => node,
        };
        for (depth, round) in by_depth.iter().enumerate().skip(1) {
            for k in std::mem::take(&mut expiring[depth - 1]) {
                free.push(slot[k]);
            }
            let mut ops = Vec::with_capacity(round.len());
            for &k in round {
                slot[k] = free.pop().unwrap_or_else(|| {
                    slots += 1;
                    slots - 1
                });
                if (last_read[k] as usize) <= depths {
                    expiring[last_read[k] as usize].push(k);
                }
                let (a, b) = self.ops[k];
                ops.push(Op { out: slot[k], a: place(a, &slot), b: place(b, &slot) });
            }
            // Doublings first: the vector lanes take them apart. Then by sign, so that processors can foresee it.
            ops.sort_by_key(|op| (op.a != op.b, op.b.is_negative()));
            rounds.push(ops);
        }
        let outputs = outputs.iter().map(|o| o.map(|node| place(node, &slot))).collect();
        Program { inputs, slots: slots as usize, rounds, outputs }
    }
}

/// A finished program.
pub(crate) struct Program {
    inputs: usize,
    slots: usize,
    rounds: Vec<Vec<Op>>,
    outputs: Vec<Option<Node>>,
}

impl Program {
    /// Additions for one copy.
    #[cfg(feature = "evaluate")]
    pub(crate) fn additions(&self) -> usize {
        self.rounds.iter().map(Vec::len).sum()
    }

    /// `out[o·copies + c]`: output `o` of copy `c`; infinity for an empty sum.
    /// The inputs are in shifted form when `lanes` is given, the outputs never.
    pub(crate) fn run<F: Coordinate>(&self, inputs: &[Point<F>], copies: usize, lanes: Option<Ifma>) -> Vec<Point<F>> {
        let mut points = self.run_unsigned(inputs, copies, lanes);
        if let Some(token) = lanes {
            points = from_shifted(token, &points);
        }
        for (outputs, points) in self.outputs.iter().zip(points.chunks_exact_mut(copies)) {
            let negative = outputs.is_some_and(Node::is_negative);
            points.iter_mut().for_each(|point| *point = point.neg_if(negative));
        }
        points
    }

    /// The same in the form of the inputs, and without the signs of the outputs.
    pub(crate) fn run_unsigned<F: Coordinate>(
        &self,
        inputs: &[Point<F>],
        copies: usize,
        lanes: Option<Ifma>,
    ) -> Vec<Point<F>> {
        debug_assert_eq!(inputs.len(), self.inputs * copies);
        debug_assert!(copies.is_power_of_two());
        let shift = copies.trailing_zeros();
        let mut slots = vec![Point::INFINITY; self.slots * copies];
        let mut adder = Adder::new(lanes);
        for ops in &self.rounds {
            let mut round = Round { ops, inputs, slots: &mut slots, shift, first: self.inputs };
            match &mut adder {
                Adder::Scalar(scratch) => add_all(ops.len() * copies, &mut round, scratch),
                Adder::Lanes(vectors) => {
                    let doublings = ops.partition_point(|op| op.a == op.b);
                    let (head, tail) = ops.split_at(doublings);
                    round.ops = head;
                    vectors.run(head.len() * copies, true, &mut round);
                    round.ops = tail;
                    vectors.run(tail.len() * copies, false, &mut round);
                }
            }
        }
        let round = Round { ops: &[], inputs, slots: &mut slots, shift, first: self.inputs };
        let node = |output: Option<Node>, copy| output.map_or(Point::INFINITY, |node| *round.get(node, copy));
        self.outputs.iter().flat_map(|output| (0..copies).map(move |copy| node(*output, copy))).collect()
    }
}

struct Round<'a, F> {
    ops: &'a [Op],
    inputs: &'a [Point<F>],
    slots: &'a mut [Point<F>],
    shift: u32,
    first: usize,
}

impl<F: Coordinate> Round<'_, F> {
    #[inline(always)]
    fn get(&self, node: Node, copy: usize) -> &Point<F> {
        let index = node.index();
        if index < self.first {
            &self.inputs[(index << self.shift) + copy]
        } else {
            &self.slots[((index - self.first) << self.shift) + copy]
        }
    }
}

impl<F: Coordinate> Additions<F> for Round<'_, F> {
    #[inline(always)]
    fn operands(&self, k: usize) -> [(&Point<F>, bool); 2] {
        let (op, copy) = (&self.ops[k >> self.shift], k & ((1 << self.shift) - 1));
        [(self.get(op.a, copy), op.a.is_negative()), (self.get(op.b, copy), op.b.is_negative())]
    }

    #[inline(always)]
    fn result(&mut self, k: usize) -> &mut Point<F> {
        let (op, copy) = (&self.ops[k >> self.shift], k & ((1 << self.shift) - 1));
        &mut self.slots[((op.out as usize) << self.shift) + copy]
    }
}
