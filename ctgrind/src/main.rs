//! Secrets under valgrind: after A. Langley's *ctgrind*. Memory that holds secrets is marked as undefined, and
//! memcheck then reports every branch and every address that depends on them. Run `ctgrind/run.sh`.
//!
//! Subjects: `setup` and `issue` (the master key is secret), `encrypt` (inputs and masks are, in constant time). As
//! controls, which must be reported: `fast` (the encryption by tables) and `branch` (a look-up and a branch here).

use std::arch::asm;
use std::convert::Infallible;
use std::hint::black_box;

use host::Silent;
use qfe::{Encryptor, MasterKey, PublicKey, QuadraticMap, encrypt_constant_time, setup};
use rand::{Rng, SeedableRng, TryCryptoRng, TryRng};
use rand_chacha::ChaCha20Rng;

const INPUTS: usize = 2;

/// Requests of `valgrind.h` and `memcheck.h`.
mod request {
    pub const RUNNING: u64 = 0x1001;
    pub const UNDEFINED: u64 = ((b'M' as u64) << 24 | (b'C' as u64) << 16) + 1;
}

/// Valgrind's answer; 0 without valgrind, where these instructions do nothing.
#[cfg(target_arch = "x86_64")]
fn valgrind(request: u64, address: usize, bytes: usize) -> u64 {
    let arguments = [request, address as u64, bytes as u64, 0, 0, 0];
    let mut answer = 0u64;
    // SAFETY: rotations by 128 bits in all leave rdi as it was, and so does the exchange of rbx with itself. Valgrind,
    // which knows this sequence, reads the six arguments and writes rdx.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            inout("rdx") answer,
            in("rax") arguments.as_ptr(),
        );
    }
    answer
}

fn mark_secret<T: Copy>(values: &mut [T]) {
    valgrind(request::UNDEFINED, values.as_mut_ptr() as usize, size_of_val(values));
}

/// A generator whose bytes are secret.
struct Secret(ChaCha20Rng);

impl TryRng for Secret {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [self.0.next_u32()];
        mark_secret(&mut word);
        Ok(word[0])
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [self.0.next_u64()];
        mark_secret(&mut word);
        Ok(word[0])
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        mark_secret(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Secret {}

fn generator() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

fn secret_keys() -> (MasterKey, PublicKey) {
    setup(INPUTS, INPUTS, &mut Secret(generator())).expect("dimensions are allowed")
}

fn public_key() -> PublicKey {
    setup(INPUTS, INPUTS, &mut generator()).expect("dimensions are allowed").1
}

fn secret_inputs() -> [Vec<i64>; 2] {
    [[3, -7], [0, 12]].map(|inputs| {
        let mut inputs = inputs.to_vec();
        mark_secret(&mut inputs);
        inputs
    })
}

#[inline(never)]
fn branch() -> u64 {
    let mut secret = [black_box(3usize)];
    mark_secret(&mut secret);
    let table = black_box([1u64, 2, 4, 8]);
    let read = table[secret[0] % 4];
    if black_box(read) == 8 { 1 } else { read }
}

fn main() {
    let subject = std::env::args().nth(1).unwrap_or_default();
    if valgrind(request::RUNNING, 0, 0) == 0 {
        eprintln!("not under valgrind: nothing is watched; run ctgrind/run.sh");
        std::process::exit(2);
    }
    match subject.as_str() {
        "setup" => drop(black_box(secret_keys())),
        "issue" => {
            let (master, _) = secret_keys();
            let map = QuadraticMap::new(INPUTS, INPUTS, 2, 1, vec![3, -1, 0, 2], vec![-5, 1, 4, 0], vec![1, -2]);
            drop(black_box(master.issue(&map.expect("shapes agree"))));
        }
        "encrypt" => {
            let (public, [u, v]) = (public_key(), secret_inputs());
            drop(black_box(encrypt_constant_time(&public, &u, &v, &mut Secret(generator()))));
        }
        "fast" => {
            let (public, [u, v]) = (public_key(), secret_inputs());
            let encryptor = Encryptor::new(&public, &Silent);
            drop(black_box(encryptor.encrypt(&u, &v, &mut Secret(generator()))));
        }
        "branch" => drop(black_box(branch())),
        other => {
            eprintln!("'{other}' is no subject: setup, issue, encrypt, fast or branch");
            std::process::exit(2);
        }
    }
}
