//! The program `axiam`.
