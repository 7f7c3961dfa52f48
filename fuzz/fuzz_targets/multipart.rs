#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| axiam_fuzz::form(body));
