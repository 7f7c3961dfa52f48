//! The program `axiam`.
fn main() {}
