//! For tests only: what the suites of this workspace share.
