//! How requests end.

/// How a request ended.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub enum Outcome {
    /// Answered.
    Answered,
    /// Refused for what it was, or who sent it.
    Refused,
    /// Refused for lack of room; it may be sent again.
    Busy,
    /// A fault of the server.
    Failed,
}

impl Outcome {
    /// Of a status.
    pub fn of(status: u16) -> Self {
        match status {
            429 | 503 => Self::Busy,
            400..=499 => Self::Refused,
            500.. => Self::Failed,
            _ => Self::Answered,
        }
    }

    /// As labels and the log have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Busy => "busy",
            Self::Failed => "failed",
        }
    }
}
