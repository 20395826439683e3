//! Ceremonies over files or any other store: institutions make a key together, or renew its shares.
//!
//! The protocol is [`qfe::shares::ceremony`]; this module adds what it requires of its caller. A [`Definition`] lists
//! the servers, with each one's signing key and the age recipient that its shares are sealed to. Messages are kept in a
//! [`Mail`], which is not trusted. Each server attends ([`Attendance`]): it sends its own message of a step, reads
//! those of the others, and keeps its secrets in a file that only it can open, so that it can stop and start again at
//! any moment. One server, the *clerk*, ends the steps by signing their minutes: the messages that count, chained to
//! the previous step. The result is a [`Transcript`], by which anybody can check the public key, and a share for each
//! server.
//!
//! | step | message of each server | seen by |
//! |---|---|---|
//! | 1 | `commit-I` | all |
//! | 2 | `deal-I`, and `share-I-J` sealed to server `J` | all; `J` |
//! | 3 | `report-J`: complaints, or none | all |
//! | 4 | `endorse-J`: signs the result and all earlier messages | all |
//!
//! The clerk sends `minutes-1` to `minutes-3`. It waits for everybody. When told that the time is over, it continues
//! with what has arrived, but never with fewer than all but `τ` messages, and nobody accepts minutes with fewer. So at
//! least one honest dealer counts whatever the clerk does. A dishonest clerk that has seen the dealings may omit up to
//! `τ` of them: the bound of the protocol then has a further factor, the number of sets of up to `τ` of `n` servers. A
//! clerk that writes two minutes of one step stops the ceremony: servers that have seen different messages sign
//! different results.

mod attend;
mod deal;
mod definition;
mod mail;
mod minutes;
mod transcript;

pub use attend::{Attendance, Concluded, Credentials, STATE, TRANSCRIPT, Waiting};
pub use deal::deal;
pub use definition::{Definition, ServerCard, Terms};
pub use mail::{Mail, MailError, MailFolder};
pub use transcript::{MAX_TRANSCRIPT_BYTES, Transcript, Verified};

use std::path::PathBuf;

use host::files::FileError;
use qfe::shares::ShareError;
use qfe::shares::ceremony::CeremonyError;

use crate::keyfile::KeyFileError;
use crate::share::ShareFileError;

/// Steps that the clerk ends.
const STEPS: u8 = 3;

/// Why a server cannot attend, or a transcript is invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttendError {
    /// The definition is invalid.
    #[error("ceremony definition: {problem}")]
    Definition {
        /// What is wrong with it.
        problem: String,
    },
    /// The protocol refuses.
    #[error(transparent)]
    Protocol(#[from] CeremonyError),
    /// The store of messages.
    #[error("message '{name}': {source}")]
    Mail {
        /// The message.
        name: String,
        /// The store's error.
        source: MailError,
    },
    /// A file of this server.
    #[error(transparent)]
    File(#[from] FileError),
    /// A secret file of this server.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A share.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// A share in files.
    #[error(transparent)]
    ShareFile(#[from] ShareFileError),
    /// The definition does not list this signing key or identity.
    #[error("{what} is not the one that the definition lists for '{server}': use that server's own")]
    Credentials {
        /// `the signing key` or `the identity`.
        what: &'static str,
        /// The server.
        server: String,
    },
    /// This server has dealt, and its stored dealing is missing.
    #[error(
        "'{server}' has committed to a dealing in this ceremony, but {} is missing: it cannot continue; begin again \
         with a fresh ceremony", path.display()
    )]
    Lost {
        /// The server.
        server: String,
        /// Where it stored its dealing.
        path: PathBuf,
    },
    /// A share is needed to deal.
    #[error("'{server}' holds a share of this key: give the share, or say that it is lost")]
    NoShare {
        /// The server.
        server: String,
    },
    /// A holder that neither deals nor receives.
    #[error("the definition excludes the dealing of '{server}' and gives it no share: it has no part in this ceremony")]
    LeftOut {
        /// The server.
        server: String,
    },
    /// The folder for the result holds one already.
    #[error("{}: a ceremony has ended here already; choose another folder", path.display())]
    Ended {
        /// The folder.
        path: PathBuf,
    },
    /// Invalid minutes.
    #[error(
        "minutes of step {step}: {problem}: the clerk is at fault, or the store; ask it, or begin again with another clerk"
    )]
    Minutes {
        /// The step.
        step: u8,
        /// What is wrong.
        problem: String,
    },
    /// An invalid transcript.
    #[error("transcript: {problem}")]
    Transcript {
        /// What is wrong.
        problem: String,
    },
}
