//! How a phone comes to trust a certificate that this installation made itself.

pub mod pages;
