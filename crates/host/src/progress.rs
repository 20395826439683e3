//! Progress of long work.

/// A receiver of progress. Calls come from any thread, often thousands a second.
///
/// A call may unwind (`std::panic::resume_unwind`) to cancel the work: callers must not hold a lock that outlives it.
pub trait Progress: Sync {
    /// Work of this many steps begins; none of them is done.
    fn begin(&self, steps: u64);

    /// This many more steps are done.
    fn advance(&self, steps: u64);

    /// A few words about the state of the work, such as its loss.
    fn note(&self, _: &str) {}
}

/// Ignores all calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: u64) {}

    fn advance(&self, _: u64) {}
}
