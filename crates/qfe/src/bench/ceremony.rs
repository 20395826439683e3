//! A whole ceremony in one process.

use std::sync::Arc;

use ed25519_dalek::SigningKey;

use super::BenchError;
use crate::shares::ceremony::{Board, Ceremony, Participant};

/// Five servers, of which three will issue, make a key for `(n, m)` inputs: all of their dealings, checks and shares, on
/// one board. In truth each server makes one dealing and checks all. Gives back how many dealers qualified.
///
/// # Errors
/// None for dimensions that a key can have.
pub fn ceremony(inputs: (usize, usize)) -> Result<usize, BenchError> {
    let secrets: Vec<[u8; 32]> = (1..=5).map(|server| [server; 32]).collect();
    let keys = secrets.iter().map(|secret| SigningKey::from_bytes(secret).verifying_key().to_bytes());
    let keys: Vec<[u8; 32]> = keys.collect();
    let ceremony = Arc::new(Ceremony::generate(inputs, &keys, 2, b"bench")?);
    let join = |secret| Participant::new(ceremony.clone(), secret, None, &mut rand::rng());
    let mut servers: Vec<Participant> = secrets.iter().map(join).collect::<Result<_, _>>()?;
    let mut board = Board::new(ceremony.clone());
    for server in &servers {
        server.commit().map(|message| board.post(&message)).transpose()?;
    }
    board.end_step();
    let dealings: Vec<_> = servers.iter().filter_map(Participant::deal).collect();
    for dealing in &dealings {
        board.post(&dealing.public)?;
    }
    board.end_step();
    for (to, message) in dealings.iter().flat_map(|dealing| &dealing.private) {
        servers[usize::from(*to) - 1].receive(&board, message)?;
    }
    board.end_step();
    for server in &servers {
        server.finish(&board)?.endorsement.map(|message| board.post(&message)).transpose()?;
    }
    Ok(board.verify()?.qualified.len())
}
