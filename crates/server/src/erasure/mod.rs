//! Erasure: everything that names a client goes, of the face also the key without which no copy of it opens, and
//! whoever asked for it gets a signed receipt.

mod flow;
pub mod http;
pub mod pages;
mod receipt;

pub use flow::{Done, ErasureError, Means, erase, erase_apart};
pub use receipt::{By, Erased, Receipt};
