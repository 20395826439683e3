//! Many records at once.
