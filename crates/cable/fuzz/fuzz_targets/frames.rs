//! Frames of clients, as bytes: whatever comes is read or refused, and an identifier that is read
//! goes back as it came. With a nightly compiler and cargo-fuzz:
//!
//! ```text
//! cd crates/cable && cargo +nightly fuzz run frames -- -max_total_time=60
//! ```
#![no_main]

libfuzzer_sys::fuzz_target!(|frame: &[u8]| cable::fuzz_frame(frame));
