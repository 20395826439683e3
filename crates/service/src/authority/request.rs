//! Requests to an authority.

use crate::approval::Approval;
use crate::hash::Hash;

/// A wish for a functional key.
#[derive(Clone, Debug)]
pub struct KeyRequest<'a> {
    /// The project whose current public key is to be opened.
    pub project: &'a str,
    /// The network whose outputs are to be opened.
    pub network: Hash,
    /// Who will hold the key.
    pub holder: &'a str,
    /// People who signed for it.
    pub approvals: &'a [Approval],
    /// Who asks.
    pub by: &'a str,
}
