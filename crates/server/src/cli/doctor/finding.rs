//! What `axiam doctor` says of one thing.

/// One line of the report.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// As it should be.
    Fine(String),
    /// Works, and may surprise.
    Mind(String),
    /// Does not work, or not for long.
    Wrong(String),
}
