//! Ceremonies over files or any other store: institutions make a key together, or renew its shares.
//!
//! The protocol is [`qfe::shares::ceremony`]; here is what it asks of its caller. A [`Definition`] names the servers, with
//! the key that each signs with and the age recipient that shares for it are sealed to. Messages lie in a [`Mail`], which
//! is trusted with nothing. Each server attends ([`Attendance`]): it puts its own message of a step, takes those of the
//! others, keeps its secrets in a file that only it opens, so that it can end and start again at any moment. One server,
//! the *clerk*, ends the steps by signing their minutes: the messages that count, chained to the step before. The end is
//! a [`Transcript`], by which anybody checks the public key, and for each server its share.
//!
//! | step | message of each server | seen by |
//! |---|---|---|
//! | 1 | `commit-I` | all |
//! | 2 | `deal-I`, and `share-I-J` sealed to server `J` | all; `J` |
//! | 3 | `report-J`: complaints, or none | all |
//! | 4 | `endorse-J`: signs the result and all messages before | all |
//!
//! The clerk puts `minutes-1` to `minutes-3`. It waits for everybody; when told that time is over, it goes on with what
//! is there, but never with less than all but `τ` messages, and nobody accepts minutes with less. So at least one
//! honest dealer counts whatever the clerk does. A dishonest clerk that has seen the dealings may leave out up to `τ` of
//! them: the bound of the protocol then has a further factor, the number of sets of up to `τ` of `n` servers. A clerk that writes two
//! minutes of one step stops the ceremony: who has seen other messages signs another result.

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

/// Why a server cannot attend, or a transcript does not hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttendError {
    /// The definition cannot be.
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
        /// What the store said.
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
    /// The signing key or the identity is of nobody in the definition.
    #[error("{what} is not the one that the definition names for '{server}': use that server's own")]
    Credentials {
        /// `the signing key` or `the identity`.
        what: &'static str,
        /// The server.
        server: String,
    },
    /// This server has dealt, and what it kept is gone.
    #[error(
        "'{server}' has committed to a dealing in this ceremony, and {} is gone: it cannot go on; begin again with a \
         fresh ceremony", path.display()
    )]
    Lost {
        /// The server.
        server: String,
        /// Where it kept its dealing.
        path: PathBuf,
    },
    /// A share is needed to deal.
    #[error("'{server}' holds a share of this key: name it; a server that lost its share says so")]
    NoShare {
        /// The server.
        server: String,
    },
    /// A holder that neither deals nor receives.
    #[error("the definition leaves out what '{server}' deals, and gives it no share: it has nothing to do here")]
    LeftOut {
        /// The server.
        server: String,
    },
    /// The folder for the result has one.
    #[error("{}: a ceremony has ended here already; choose another folder", path.display())]
    Ended {
        /// The folder.
        path: PathBuf,
    },
    /// Minutes that do not hold.
    #[error(
        "minutes of step {step}: {problem}: the clerk is at fault, or the store; ask it, or begin again with another clerk"
    )]
    Minutes {
        /// The step.
        step: u8,
        /// What is wrong.
        problem: String,
    },
    /// A transcript that does not hold.
    #[error("transcript: {problem}")]
    Transcript {
        /// What is wrong.
        problem: String,
    },
}
