//! Any body to `POST /v1/events`: it is a batch or refused, and every row it makes is within its bounds.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| collector::fuzzing::wire(body));
