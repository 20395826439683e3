//! How far long work has come.

/// Somebody who wants to know. Calls come from any thread, often thousands a second.
///
/// A call may unwind (`std::panic::resume_unwind`) to cancel the work: whoever makes one holds no lock that outlives it.
pub trait Progress: Sync {
    /// Work of so many steps begins; none of them is done.
    fn begin(&self, steps: u64);

    /// So many more steps are done.
    fn advance(&self, steps: u64);

    /// A few words about the state of the work, such as its loss.
    fn note(&self, _: &str) {}
}

/// Nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: u64) {}

    fn advance(&self, _: u64) {}
}
