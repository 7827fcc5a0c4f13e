//! Bodies that are small as they come and huge as they are read, on every way in that takes JSON.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};
use ureq::Agent;

use super::House;
use super::load::{BROWSER, batch, id};

const WAYS: [&str; 8] = [
    "/v1/events",
    "/v1/batch",
    "/v1/track",
    "/v1/identify",
    "/v1/page",
    "/v1/screen",
    "/v1/group",
    "/v1/alias",
];
const ENCODINGS: [&str; 3] = ["gzip", "br", "zstd"];
const MEBIBYTE: u64 = 1024 * 1024;
/// What a bomb becomes, at least. One that is read whole shows: of a body no more than 1 MiB is taken.
const BOMB_BYTES: usize = 96 << 20;
/// Senders at a time.
const SENDERS: u64 = 8;
/// What is kept of the first round is used again by the next.
const ROUNDS: usize = 2;
/// What the collector may need for as many bodies of the largest size at a time and for the decoders' windows,
/// and what its allocator keeps of them. Two bombs that are read whole need more.
const GROWTH_MAX: u64 = 128 * MEBIBYTE;
/// No browser of a load.
const SENDER: u64 = 0xb0b0;

#[test]
fn a_bomb_is_refused_on_every_way_and_costs_no_memory() {
    let house = House::up(&[]);
    let url = house.collector();
    let mut sent = good(&url, 0);
    let before = house.held();
    let bombs = bombs();
    for bomb in bombs.iter().cycle().take(ROUNDS * bombs.len()) {
        std::thread::scope(|scope| {
            for _ in 0..SENDERS {
                scope.spawn(|| WAYS.iter().for_each(|way| refused(&url, way, bomb)));
            }
        });
    }
    let after = house.held();
    eprintln!(
        "memory before {} MiB, at most {} MiB",
        before.memory_most / MEBIBYTE,
        after.memory_most / MEBIBYTE
    );
    assert!(after.memory_most < before.memory_most + GROWTH_MAX, "{before:?} {after:?}");
    assert!(after.files <= before.files + SENDERS as usize, "{before:?} {after:?}");
    let counted = house.metric(r#"collector_requests_rejected_total{reason="body_too_large"}"#);
    assert_eq!(counted, (ROUNDS * bombs.len() * WAYS.len()) as f64 * SENDERS as f64);

    sent.extend(good(&url, 100));
    house.holds_once(&sent);
}

type Packed = (&'static str, Vec<u8>);

fn bombs() -> [Packed; 4] {
    let zeros = vec![0; BOMB_BYTES];
    let [gzip, brotli, zstd] = ENCODINGS.map(|encoding| (encoding, packed(encoding, &zeros)));
    let bombs = [gzip, brotli, zstd, ("zstd", zstd_bomb())];
    for (encoding, bomb) in &bombs {
        assert!(bomb.len() < 1 << 20, "{encoding}: it is too long as it comes: {}", bomb.len());
    }
    bombs
}

fn packed(encoding: &str, plain: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            let mut packed = Vec::new();
            brotli::CompressorWriter::new(&mut packed, 1 << 16, 5, 24).write_all(plain).unwrap();
            packed
        }
        _ => compress_to_vec(plain, CompressionLevel::Fastest),
    }
}

/// A gigabyte in 32 KB, which does not say how much it will be: a window of 8 MiB, and 8192 blocks of one
/// byte each, to be repeated 128 Ki times (RFC 8878, 3.1.1).
fn zstd_bomb() -> Vec<u8> {
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68];
    for block in 1..=8192_u32 {
        let head = (128 * 1024) << 3 | 1 << 1 | u32::from(block == 8192);
        bomb.extend_from_slice(&head.to_le_bytes()[..3]);
        bomb.push(0);
    }
    bomb
}

fn refused(url: &str, way: &str, (encoding, bomb): &Packed) {
    let (status, answer) = post(url, way, encoding, bomb);
    let tag = &answer["error"]["tag"];
    assert_eq!((status, tag), (413, &json!("body_too_large")), "{way} {encoding}: {answer}");
}

/// Bodies as they should be, in each encoding by both APIs; the ids of their events.
fn good(url: &str, first: u64) -> Vec<String> {
    let mut sent = Vec::new();
    for (encoding, number) in ENCODINGS.into_iter().zip(first..) {
        let ours = [id(SENDER, 2 * number)];
        let theirs = id(SENDER, 2 * number + 1);
        let track = json!({"writeKey": "shop", "batch": [{
            "type": "track", "event": "Added", "messageId": theirs, "userId": "u1",
        }]});
        for (way, body) in [("/v1/events", batch(SENDER, &ours)), ("/v1/batch", track.to_string())]
        {
            let (status, answer) = post(url, way, encoding, &packed(encoding, body.as_bytes()));
            assert!(matches!(status, 200 | 202), "{way} {encoding}: {status} {answer}");
            assert_eq!(answer["accepted"], 1, "{way} {encoding}: {answer}");
        }
        sent.extend(ours.into_iter().chain([theirs]));
    }
    sent
}

fn post(url: &str, way: &str, encoding: &str, body: &[u8]) -> (u16, Value) {
    let agent = Agent::new_with_config(Agent::config_builder().http_status_as_error(false).build());
    let post = agent.post(format!("{url}{way}")).header("user-agent", BROWSER);
    let mut answer = post.header("content-encoding", encoding).send(body).unwrap();
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
}
