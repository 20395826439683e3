//! Sums of two terms that several sums have in common.
//!
//! A pass adds up all inputs of the same key, up to sign. Two inputs that have equal keys in several passes, up to one
//! sign for all of them, are added once and take part in these passes as one. The pair that most passes have in common
//! comes first; sums are inputs like the others.

use super::program::{Builder, Node};

/// A pass gives every input a key: zero leaves it out, and `-key` stands for the key of its negative.
pub(super) type Key = i32;

/// For each pass its terms with their keys, after sums that two passes or more have in common were added.
pub(super) fn share(builder: &mut Builder, inputs: usize, passes: &[Vec<Key>]) -> Vec<Vec<(Node, Key)>> {
    let mut terms = Terms::new(passes);
    for input in 0..inputs {
        terms.push(Node::input(input), passes.iter().map(|keys| keys[input]).collect());
    }
    while let Some((a, b, negative)) = terms.next_pair() {
        let node = builder.add(terms.nodes[a], terms.nodes[b].neg_if(negative));
        let keys = terms.take_common(a, b, negative);
        terms.push(node, keys);
    }
    terms.of_passes()
}

struct Terms {
    passes: usize,
    nodes: Vec<Node>,
    /// Term by term, the key in every pass.
    keys: Vec<Key>,
    /// Keys of either sign, at most.
    width: usize,
    /// Pass by pass and key by key, the terms that have this key or its negative, and some that had it.
    holders: Vec<Vec<u32>>,
    /// By the number of passes that they had in common when they came in: two terms, and whether one is negative.
    pairs: Vec<Vec<(u32, u32, bool)>>,
    /// For the term that comes in: passes in common with each other one, of equal and of opposite sign.
    common: Vec<[u32; 2]>,
}

impl Terms {
    fn new(passes: &[Vec<Key>]) -> Self {
        let width = 1 + passes.iter().flatten().map(|key| key.unsigned_abs() as usize).max().unwrap_or(0);
        Self {
            passes: passes.len(),
            nodes: Vec::new(),
            keys: Vec::new(),
            width,
            holders: vec![Vec::new(); passes.len() * width],
            pairs: vec![Vec::new(); passes.len() + 1],
            common: Vec::new(),
        }
    }

    fn push(&mut self, node: Node, keys: Vec<Key>) {
        let term = self.nodes.len();
        let mut met = Vec::new();
        for (pass, &key) in keys.iter().enumerate().filter(|(_, key)| **key != 0) {
            let holders = &mut self.holders[pass * self.width + key.unsigned_abs() as usize];
            // Terms that went into other sums in this pass leave the list.
            holders.retain(|&other| {
                let found = self.keys[other as usize * self.passes + pass];
                if found != 0 {
                    let common = &mut self.common[other as usize];
                    if *common == [0, 0] {
                        met.push(other);
                    }
                    common[usize::from(found != key)] += 1;
                }
                found != 0
            });
            holders.push(term as u32);
        }
        for other in met {
            for (negative, count) in [false, true].into_iter().zip(std::mem::take(&mut self.common[other as usize])) {
                if count > 1 {
                    self.pairs[count as usize].push((other, term as u32, negative));
                }
            }
        }
        self.nodes.push(node);
        self.keys.extend(keys);
        self.common.push([0, 0]);
    }

    /// Whether a term has the key of another one in a pass, or its negative.
    fn agrees(&self, a: usize, b: usize, negative: bool, pass: usize) -> bool {
        let (a, b) = (self.keys[a * self.passes + pass], self.keys[b * self.passes + pass]);
        a != 0 && a == if negative { -b } else { b }
    }

    /// The pair with most passes in common, two at least.
    fn next_pair(&mut self) -> Option<(usize, usize, bool)> {
        for count in (2..self.pairs.len()).rev() {
            while let Some((a, b, negative)) = self.pairs[count].pop() {
                let (one, other) = (a as usize, b as usize);
                let now = (0..self.passes).filter(|&pass| self.agrees(one, other, negative, pass)).count();
                if now == count {
                    return Some((one, other, negative));
                }
                // Some of them went into other sums.
                if now > 1 {
                    self.pairs[now].push((a, b, negative));
                }
            }
        }
        None
    }

    /// Takes both terms out of the passes that they have in common; gives the keys of their sum.
    fn take_common(&mut self, a: usize, b: usize, negative: bool) -> Vec<Key> {
        let passes = self.passes;
        let mut take = |pass| {
            if !self.agrees(a, b, negative, pass) {
                return 0;
            }
            self.keys[b * passes + pass] = 0;
            std::mem::take(&mut self.keys[a * passes + pass])
        };
        (0..passes).map(&mut take).collect()
    }

    fn of_passes(&self) -> Vec<Vec<(Node, Key)>> {
        let terms = |pass| {
            let keys = self.keys.iter().skip(pass).step_by(self.passes);
            self.nodes.iter().copied().zip(keys.copied()).filter(|(_, key)| *key != 0).collect()
        };
        (0..self.passes).map(terms).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every node is, in multiples of the inputs.
    fn multiples(builder: &Builder, inputs: usize) -> Vec<Vec<i32>> {
        let mut out: Vec<Vec<i32>> = (0..inputs).map(|i| (0..inputs).map(|j| i32::from(i == j)).collect()).collect();
        for (a, b) in builder.additions() {
            let [a, b] = [a, b].map(|node| {
                let sign = if node.is_negative() { -1 } else { 1 };
                out[node.index()].iter().map(|of| sign * of).collect::<Vec<i32>>()
            });
            out.push(a.iter().zip(b).map(|(a, b)| a + b).collect());
        }
        out
    }

    fn shared(inputs: usize, passes: &[Vec<Key>]) -> (Vec<Vec<(Node, Key)>>, usize) {
        let mut builder = Builder::new(inputs);
        let terms = share(&mut builder, inputs, passes);
        let multiples = multiples(&builder, inputs);
        for (pass, terms) in passes.iter().zip(&terms) {
            assert!(terms.iter().all(|term| term.1 != 0));
            let sum: Vec<i32> =
                (0..inputs).map(|i| terms.iter().map(|&(node, key)| key * multiples[node.index()][i]).sum()).collect();
            assert_eq!(sum, *pass);
        }
        let added = multiples.len() - inputs;
        (terms, added)
    }

    #[test]
    fn terms_are_the_inputs_with_their_keys() {
        for (inputs, passes, most) in [(1, 1, 3), (9, 1, 2), (12, 7, 1), (20, 16, 4), (33, 5, 144)] {
            let key = |k: i32| (k * k * 37 + k * 11) % (2 * most + 1) - most;
            let keys: Vec<Vec<Key>> =
                (0..passes).map(|p| (0..inputs).map(|i| key((p * inputs + i) as i32)).collect()).collect();
            shared(inputs, &keys);
        }
        shared(3, &[]);
    }

    #[test]
    fn a_pair_is_added_once_for_all_passes() {
        // Of equal sign in two passes, of opposite sign in three others.
        let passes = [vec![2, 2, 1], vec![-3, -3, 0], vec![1, -1, 1], vec![-2, 2, 0], vec![5, -5, 0]];
        let (terms, added) = shared(3, &passes);
        assert_eq!(added, 2);
        assert_eq!(terms.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 2, 1, 1]);
        // In one pass alone nothing is gained.
        assert_eq!(shared(3, &[vec![1, 1, 1], vec![1, 2, 3]]).1, 0);
        // A sum takes part in others: four inputs in three passes.
        let (terms, added) = shared(4, &[vec![1; 4], vec![2; 4], vec![-1; 4]]);
        assert_eq!((added, terms.iter().all(|terms| terms.len() == 1)), (3, true));
    }
}
