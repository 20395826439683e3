//! `grpc` for libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    halflight_fuzz::alone();
    halflight_fuzz::grpc::run(data);
});
