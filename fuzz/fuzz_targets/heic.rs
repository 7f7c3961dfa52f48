#![no_main]

use axiam_fuzz::{Format, photo};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| photo(Format::Heic, bytes));
