//! What keeps a network from running.

/// Which part of a pack failed, and how.
pub(crate) type NetError = String;
