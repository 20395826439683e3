//! Precomputed tables in files: built once, mapped into memory afterwards.
//!
//! A file is a header of 128 bytes and the table in its memory layout (little-endian limbs, which is why other machines
//! build their own):
//!
//! | bytes | field |
//! |---|---|
//! | 4 | magic `HLQT` |
//! | 2 | version, 2 |
//! | 2 | suite, 1 |
//! | 4 | kind: 1 fixed bases, 2 logarithms |
//! | 4 | parameter: bits of a logarithm table, or 1 for points in the form of vector lanes |
//! | 32 | public-key id, or zero |
//! | 8 × 2 | bytes of the two parts |
//! | 32 | SHA-256 of the parts |
//! | 32 | SHA-256 of the header so far |
//!
//! A file that is missing, damaged, of another version or another key is built again and replaced. The hash guards
//! against damage, not against somebody who can write to the folder: a folder that others can write to is refused.
//! Tables of a public key are also compared with the key: a few random scalars times all bases, read from the table, in
//! a random combination. That detects a table of something else, but not one in which somebody with the user's rights
//! changed a few rows.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use host::{
    Progress,
    files::{self, Access, FileError},
};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{
    dlog::{LogTable, LogTableError},
    encrypt::Encryptor,
    group::fixed_base::{FixedBase, blocks},
    keys::{PublicKey, SUITE},
    raw::{Coordinate, Fp, Fp2, G1, G2, Mapped, Plain, Point, Scalar, Storage, as_bytes, ifma::Ifma, map_file},
};

const MAGIC: [u8; 4] = *b"HLQT";
const VERSION: u16 = 2;
const HEADER_BYTES: usize = 128;
const FIXED_BASES: u32 = 1;
const LOGARITHMS: u32 = 2;

/// Why tables could not be stored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// Writing failed.
    #[error("{0}; check that the folder exists, is writable and has free space")]
    File(#[from] FileError),
    /// The table cannot be built.
    #[error(transparent)]
    Build(#[from] LogTableError),
    /// Somebody else could put other tables there.
    #[error(
        "{0}: others can write to this folder of tables, and tables that they change reveal ciphertexts; use a \
         folder of your own, or run chmod go-w on it"
    )]
    Open(PathBuf),
}

/// Where tables came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From the file, after its hash was checked.
    Mapped,
    /// Built now and stored.
    Built,
}

/// What a table file is for.
struct Label {
    kind: u32,
    parameter: u32,
    id: [u8; 32],
}

impl Encryptor {
    /// The encryptor of a key with its tables in `folder` (as `<id>.bases`), mapped
    /// if they are there and whole, else built and stored.
    ///
    /// # Errors
    /// Others can write to the folder, or what was built cannot be stored.
    pub fn open_or_build(
        key: &PublicKey,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<(Self, Origin), TableError> {
        check_closed(folder)?;
        let path = folder.join(format!("{}.bases", key.id()));
        // Points lie in the form of the instructions that will add them.
        let lanes = Ifma::detect();
        let label = Label { kind: FIXED_BASES, parameter: u32::from(lanes.is_some()), id: *key.id().as_bytes() };
        let (n, m) = key.inputs();
        let sizes = [
            FixedBase::<Fp>::size(n, Self::TABLE_BYTES) * size_of::<G1>(),
            FixedBase::<Fp2>::size(m, Self::TABLE_BYTES) * size_of::<G2>(),
        ];
        if let Some(map) = open(&path, &label, sizes) {
            let left = part::<G1>(&map, HEADER_BYTES, sizes[0]);
            let right = part::<G2>(&map, HEADER_BYTES + sizes[0], sizes[1]);
            let left = left.and_then(|points| FixedBase::from_storage(n, Self::TABLE_BYTES, points, lanes));
            let right = right.and_then(|points| FixedBase::from_storage(m, Self::TABLE_BYTES, points, lanes));
            if let (Some(left), Some(right)) = (left, right)
                && is_of(&left, &key.s)
                && is_of(&right, &key.t)
            {
                return Ok((Self::from_tables(key.id(), (n, m), left, right), Origin::Mapped));
            }
        }
        let built = Self::new(key, progress);
        store(&path, &label, [as_bytes(built.left.points()), as_bytes(built.right.points())])?;
        Ok((built, Origin::Built))
    }
}

impl LogTable {
    /// The table of `2^bits` baby steps kept in `folder` (as `log-<bits>.table`).
    ///
    /// # Errors
    /// `bits` is out of range, others can write to the folder, or what was built cannot be stored.
    pub fn open_or_build(bits: u32, folder: &Path, progress: &dyn Progress) -> Result<(Self, Origin), TableError> {
        check_closed(folder)?;
        let path = folder.join(format!("log-{bits}.table"));
        let label = Label { kind: LOGARITHMS, parameter: bits, id: [0; 32] };
        let sizes = [16usize << bits.min(Self::MAX_BITS), 0];
        if (Self::MIN_BITS..=Self::MAX_BITS).contains(&bits)
            && let Some(slots) = open(&path, &label, sizes).and_then(|map| part(&map, HEADER_BYTES, sizes[0]))
        {
            return Ok((Self::from_slots(bits, slots), Origin::Mapped));
        }
        let built = Self::build(bits, progress)?;
        store(&path, &label, [as_bytes(built.slots()), &[]])?;
        Ok((built, Origin::Built))
    }
}

/// Random scalars that a table is tried with.
const TRIALS: usize = 8;

/// Whether a table gives multiples of these bases, as far as a few scalars tell, whatever points it holds.
fn is_of<F: Coordinate>(table: &FixedBase<F>, bases: &[Point<F>]) -> bool {
    let mut rng = host::fresh_rng();
    let scalars: Vec<Scalar> = (0..TRIALS).map(|_| Scalar::random(&mut rng)).collect();
    let weights: Vec<Scalar> = bases.iter().map(|_| Scalar::random_128(&mut rng)).collect();
    let digits = table.digits(&scalars);
    let mut found: Vec<Vec<Point<F>>> = vec![Vec::new(); TRIALS];
    for block in blocks(bases.len()) {
        let products = table.mul_block_vartime(&digits, block);
        for product in products.chunks_exact(TRIALS) {
            found.iter_mut().zip(product).for_each(|(found, product)| found.push(*product));
        }
    }
    // What stands for infinity would be left out of the sum.
    if found.iter().flatten().any(Point::is_infinity) {
        return false;
    }
    let combined = F::combine_vartime(bases, &weights, 128);
    let agrees = |(scalar, found): (&Scalar, &Vec<Point<F>>)| {
        F::combine_vartime(found, &weights, 128) == F::scalar_mul(&combined, scalar)
    };
    scalars.iter().zip(&found).all(agrees)
}

/// Refuses a folder that others can write to. One that is not there is left to who writes.
#[cfg(unix)]
fn check_closed(folder: &Path) -> Result<(), TableError> {
    use std::os::unix::fs::MetadataExt;
    let Ok(found) = fs::metadata(folder) else { return Ok(()) };
    // The system's own folder of this process says who it runs as, where there is one.
    let own = fs::metadata("/proc/self").map_or(found.uid(), |process| process.uid());
    if found.mode() & 0o022 != 0 || ![own, 0].contains(&found.uid()) {
        return Err(TableError::Open(folder.to_owned()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_closed(_: &Path) -> Result<(), TableError> {
    Ok(())
}

fn header(label: &Label, sizes: [usize; 2], hash: [u8; 32]) -> [u8; HEADER_BYTES] {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&SUITE.to_le_bytes());
    bytes.extend_from_slice(&label.kind.to_le_bytes());
    bytes.extend_from_slice(&label.parameter.to_le_bytes());
    bytes.extend_from_slice(&label.id);
    for size in sizes {
        bytes.extend_from_slice(&(size as u64).to_le_bytes());
    }
    bytes.extend_from_slice(&hash);
    let seal = Sha256::digest(&bytes);
    bytes.extend_from_slice(&seal);
    let mut out = [0; HEADER_BYTES];
    out.copy_from_slice(&bytes);
    out
}

fn hash(parts: [&[u8]; 2]) -> [u8; 32] {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// The map of a file with the right label, sizes and hashes.
fn open(path: &Path, label: &Label, sizes: [usize; 2]) -> Option<Arc<memmap2::Mmap>> {
    if cfg!(target_endian = "big") {
        return None;
    }
    let file = fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    if length != (HEADER_BYTES + sizes[0] + sizes[1]) as u64 {
        return None;
    }
    let map = map_file(&file).ok()?;
    let (head, parts) = map.split_at_checked(HEADER_BYTES)?;
    let (first, second) = parts.split_at_checked(sizes[0])?;
    (*head == header(label, sizes, hash([first, second]))).then_some(map)
}

fn part<T: Plain>(map: &Arc<memmap2::Mmap>, start: usize, bytes: usize) -> Option<Storage<T>> {
    Mapped::new(map, start, bytes / size_of::<T>()).map(Storage::Mapped)
}

fn store(path: &Path, label: &Label, parts: [&[u8]; 2]) -> Result<(), FileError> {
    let head = header(label, parts.map(<[u8]>::len), hash(parts));
    // No secret, but closed to others all the same: what is mapped must not change.
    files::write_with(path, Access::Secret, |out| {
        out.write_all(&head)?;
        parts.iter().try_for_each(|part| out.write_all(part))
    })
}
