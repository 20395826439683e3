//! The ledger as a tree of hashes, for stock readers of transparency logs: the Merkle tree of RFC 6962 over the hashes of
//! the entries, cut into tiles as [c2sp.org/tlog-tiles](https://c2sp.org/tlog-tiles) has them.
//!
//! A leaf is the hash that the chain gives an entry; it stands for all that the entry holds and for all before it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::note::Note;
use super::{Checkpoint, Head, Ledger};
use crate::hash::Hash;
use crate::signature::VerifyingKey;

/// Hashes in a tile, across.
const WIDTH: u64 = 256;
/// Most levels of tiles: more than any ledger has.
const LEVELS: u32 = 7;

/// A tree over the hashes of all entries.
#[derive(Clone, Debug)]
pub struct Tree(Vec<[u8; 32]>);

/// A tile, as its address names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// 0 for leaves; none for the entries themselves.
    pub level: Option<u32>,
    /// Its place among the tiles of its level.
    pub index: u64,
    /// Hashes in it: 256, or fewer at the end.
    pub width: u64,
}

impl Tile {
    /// The tile that an address names after `tile/`: a level or `entries`, and the index in groups of three digits, each
    /// but the last with an `x` before it, and for one that is not full `.p/` and its width.
    pub fn parse(level: &str, rest: &str) -> Option<Self> {
        let level = match level {
            "entries" => None,
            level => {
                Some(number(level)?).filter(|level| *level < u64::from(LEVELS)).map(|level| level as u32).map(Some)?
            }
        };
        let (path, width) = match rest.split_once(".p/") {
            None => (rest, WIDTH),
            Some((path, width)) => (path, number(width).filter(|width| (1..WIDTH).contains(width))?),
        };
        let groups: Vec<&str> = path.split('/').collect();
        let (last, before) = groups.split_last()?;
        let mut index = 0u64;
        for group in before.iter().map(|group| group.strip_prefix('x')).chain([Some(*last)]) {
            let digits = group.filter(|group| group.len() == 3 && group.bytes().all(|c| c.is_ascii_digit()))?;
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        // One address for each tile: no groups of zeros in front.
        if groups.len() > 4 || (groups.len() > 1 && groups[0] == "x000") {
            return None;
        }
        Some(Self { level, index, width })
    }
}

impl Tree {
    /// Over the hashes of entries, the first first.
    pub fn new(entries: &[Hash]) -> Self {
        Self(entries.iter().map(|hash| hash.0).collect())
    }

    /// The hash of the whole tree.
    pub fn root(&self) -> [u8; 32] {
        let leaves: Vec<[u8; 32]> = self.0.iter().map(|entry| leaf(entry)).collect();
        root(&leaves)
    }

    /// What a tile holds; none where the tree has no such tile yet.
    pub fn tile(&self, tile: Tile) -> Option<Vec<u8>> {
        let Tile { level, index, width } = tile;
        let first = index.checked_mul(WIDTH)?;
        let span = WIDTH.checked_pow(level.unwrap_or(0))?;
        let end = first.checked_add(width)?.checked_mul(span)?;
        if end > self.0.len() as u64 {
            return None;
        }
        let own = &self.0[(first * span) as usize..end as usize];
        Some(match level {
            // Each after its length.
            None => own.iter().flat_map(|entry| [&32u16.to_be_bytes()[..], entry].concat()).collect(),
            Some(_) => own
                .chunks(span as usize)
                .flat_map(|part| root(&part.iter().map(|entry| leaf(entry)).collect::<Vec<_>>()))
                .collect(),
        })
    }

    /// The tree over the first entries alone; none where there are fewer.
    pub fn first(&self, entries: usize) -> Option<Self> {
        self.0.get(..entries).map(|first| Self(first.to_vec()))
    }

    /// The head of the tree, signed by the ledger key.
    pub fn checkpoint(&self, ledger: &Ledger) -> Note {
        let signers = ledger.signers();
        let origin = origin_of(&signers.key());
        let head = Head { sequence: i64::try_from(self.0.len()).unwrap_or(i64::MAX), hash: Hash(self.root()) };
        let mut note = Checkpoint { origin: origin.clone(), head }.note();
        note.sign(&origin, signers.own());
        note
    }
}

/// What the tree over a ledger of this key is called.
pub(super) fn origin_of(key: &VerifyingKey) -> String {
    format!("{}/tree", Checkpoint::origin_of(key))
}

/// The right edge of a tree: roots of the whole trees that its leaves fall into, the largest first. Enough to go on from,
/// and to know the root, without the leaves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Edge {
    size: u64,
    roots: Vec<Hash>,
}

impl Edge {
    /// Adds an entry.
    pub fn push(&mut self, entry: &Hash) {
        let mut hash = leaf(&entry.0);
        // As many trees of the same size stand at the end as the number of leaves has ones at its end.
        for _ in 0..self.size.trailing_ones() {
            hash = match self.roots.pop() {
                Some(left) => node(&left.0, &hash),
                None => hash,
            };
        }
        self.roots.push(Hash(hash));
        self.size += 1;
    }

    /// Leaves and hash of the whole tree.
    pub fn head(&self) -> Head {
        let mut roots = self.roots.iter().rev();
        let last = roots.next().map_or_else(|| root(&[]), |last| last.0);
        let hash = roots.fold(last, |right, left| node(&left.0, &right));
        Head { sequence: i64::try_from(self.size).unwrap_or(i64::MAX), hash: Hash(hash) }
    }
}

/// A decimal number without zeros in front.
fn number(text: &str) -> Option<u64> {
    let plain = text == "0" || (!text.starts_with('0') && text.bytes().all(|c| c.is_ascii_digit()));
    if plain { text.parse().ok() } else { None }
}

fn leaf(entry: &[u8]) -> [u8; 32] {
    Sha256::new_with_prefix([0]).chain_update(entry).finalize().into()
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The hash of a tree with these leaves (RFC 6962, 2.1).
fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([0u8; 0]).into(),
        [leaf] => *leaf,
        leaves => {
            // The largest power of two that leaves some.
            let split = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(split);
            node(&root(left), &root(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: [u8; 32]) -> String {
        Hash(bytes).to_string()
    }

    /// Roots that the reference implementation of Certificate Transparency publishes for its first leaves.
    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let leaves = leaves.map(leaf);
        for (count, expected) in [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ] {
            assert_eq!(hex(root(&leaves[..count])), expected, "{count}");
        }
    }

    #[test]
    fn the_edge_knows_the_root_of_every_size() {
        let entries: Vec<Hash> = (0..70u64).map(|n| Hash::of_bytes(&n.to_be_bytes())).collect();
        let (tree, mut edge) = (Tree::new(&entries), Edge::default());
        for size in 0..=entries.len() {
            let head = edge.head();
            assert_eq!((head.sequence, head.hash.0), (size as i64, tree.first(size).unwrap().root()), "{size}");
            entries.get(size).into_iter().for_each(|entry| edge.push(entry));
        }
        assert!(tree.first(71).is_none());
    }

    #[test]
    fn tiles_of_higher_levels_are_roots_of_those_below() {
        let entries: Vec<Hash> = (0..700u64).map(|n| Hash::of_bytes(&n.to_be_bytes())).collect();
        let tree = Tree::new(&entries);
        let tile = |level: &str, rest: &str| tree.tile(Tile::parse(level, rest)?);
        let below: Vec<Vec<u8>> = ["000", "001", "002.p/188"].map(|rest| tile("0", rest).unwrap()).into();
        assert_eq!(below.iter().map(Vec::len).collect::<Vec<_>>(), [256 * 32, 256 * 32, 188 * 32]);
        let hashes =
            |bytes: &[u8]| -> Vec<[u8; 32]> { bytes.chunks(32).map(|hash| hash.try_into().unwrap()).collect() };
        let above = tile("1", "000.p/2").unwrap();
        assert_eq!(above, [root(&hashes(&below[0])), root(&hashes(&below[1]))].concat());
        assert_eq!(root(&hashes(&below.concat())), tree.root());
        let bundle = tile("entries", "002.p/188").unwrap();
        assert_eq!(bundle.len(), 188 * 34);
        assert_eq!(bundle[2..34], entries[512].0);
        // What is not there yet, and what is written otherwise.
        let others = ["002", "002.p/189", "003.p/1", "0", "x000/001", "x001", "001.p/0", "001.p/256", "1e3", "", "-01"];
        for rest in others {
            assert!(tile("0", rest).is_none(), "{rest}");
        }
        assert!(tile("1", "000").is_none() && tile("7", "000").is_none() && tile("00", "000").is_none());
        assert_eq!(Tile::parse("0", "x001/x234/067").unwrap().index, 1_234_067);
    }
}
