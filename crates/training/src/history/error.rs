//! A history that cannot be read.

/// Why the history of a network cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the history of the network cannot be read: {0}; compile it again with this version")]
pub struct HistoryError(#[from] serde_json::Error);
