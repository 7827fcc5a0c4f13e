//! Any request to the API of Segment's libraries: it is refused, or becomes events like those of our wire.
#![no_main]

libfuzzer_sys::fuzz_target!(|request: &[u8]| collector::fuzzing::segment(request));
