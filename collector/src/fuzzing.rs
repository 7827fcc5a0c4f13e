//! The ways in for bytes that nobody of ours wrote, as the fuzz targets in `fuzz/` call them: each takes
//! any bytes and panics where something holds no longer. A test runs the kept seeds through the same.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::LazyLock;

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use store::{EventRow, IdentifierRow};
use wire::limits::{CATEGORIES_MAX, NAME_BYTES_MAX, PROPERTIES_MAX, URL_BYTES_MAX};

use crate::cookieless::Visitor;
use crate::dead_letters::Letter;
use crate::enrich::{EnrichFiles, EnrichedEvent, Enricher, Scrubbed, SiteRules, Told};
use crate::pipeline::{Part, Sender};
use crate::receive::json_text;
use crate::receive::segment_api::{self, Call};
use crate::receive::{Sent, batch};
use crate::spool::block::{Block, Frame, Header, Table, Tail, measure};
use crate::spool::{Durability, Journal, Limits, Spool, row_binary, row_reader};
use crate::validate::{Times, flatten};

/// When everything here is received.
const NOW: i64 = 1_800_000_000_000;

static ENRICHER: LazyLock<Enricher> = LazyLock::new(|| Enricher::open(&EnrichFiles::default()));
static RULES: LazyLock<SiteRules> = LazyLock::new(SiteRules::default);
static TOLD: LazyLock<Told<'static>> = LazyLock::new(Told::default);

fn sender() -> Sender<'static> {
    let ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    Sender { ip, user_agent: "Mozilla/5.0", origin: None, told: &TOLD }
}

/// A body of `POST /v1/events`: to a batch, to valid events, to rows.
pub fn wire(body: &[u8]) {
    let body = as_read(body);
    let Ok(batch) = batch(&body) else { return };
    let times = Times::of_batch(batch.sent_at, NOW);
    let part = Part { events: batch.events, ..Part::of(sender(), batch.context) };
    events(&part, &times);
}

/// A request to the API of Segment's libraries. The first byte says which address was called, what
/// follows up to the end of its line is the `Authorization` header, and the rest is the body.
pub fn segment(request: &[u8]) {
    const PATHS: [&str; 7] = ["batch", "track", "identify", "page", "screen", "group", "alias"];
    let Some((call, rest)) = request.split_first() else { return };
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (authorization, body) = rest.split_at(end);
    let path = PATHS.get(usize::from(*call) % PATHS.len()).copied().unwrap_or_default();
    let Some(call) = Call::of(&format!("/v1/{path}")) else { return };
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(authorization) {
        headers.insert(AUTHORIZATION, value);
    }
    let body = as_read(body);
    let Ok(told) = segment_api::request(call, &headers, &body, sender(), NOW) else { return };
    let times = Times::of_batch(told.sent_at, NOW);
    for part in &told.parts {
        events(part, &times);
    }
}

/// A body as it is read. What a strict reader takes is not changed.
fn as_read(body: &[u8]) -> Vec<u8> {
    let body = json_text::without_mark(body);
    let mut mended = body.to_vec();
    json_text::mend(&mut mended);
    assert!(mended == body || serde_json::from_slice::<Value>(body).is_err(), "JSON was changed");
    mended
}

/// What the pipeline does with events, and what holds of the rows it makes.
fn events<P: Borrow<RawValue>>(part: &Part<'_, P>, times: &Times) {
    let agent = part.user_agent.as_deref();
    let visit = ENRICHER.visit(part.ip, agent, part.told, &part.context, &RULES);
    let Ok(site) = "shop".parse() else { return };
    for sent in &part.events {
        let Sent::Event(event) = sent else { continue };
        let valid = flatten(event.properties.as_ref().map(Borrow::borrow))
            .and_then(|properties| part.check(event, properties, times, &Visitor::Sent));
        let Ok(valid) = valid else { continue };
        let event = EnrichedEvent::new(valid, &visit);
        for identifier in event.identifier_rows(&site, NOW) {
            assert_eq!(read_back::<IdentifierRow>(&identifier), identifier);
        }
        let mut row = event.into_event_row(&site, NOW);
        Scrubbed::default().row(&mut row);
        let mut again = Scrubbed::default();
        again.row(&mut row.clone());
        assert_eq!(again, Scrubbed::default(), "what was scrubbed is scrubbed again: {row:?}");
        bounded(&read_back(&row));
    }
}

/// The row as it is read from what is written of it; written again, it is the same.
fn read_back<T: DeserializeOwned + Serialize>(row: &impl Serialize) -> T {
    let mut bytes = Vec::new();
    assert!(row_binary::write(&mut bytes, row).is_ok(), "a row has no form");
    let Ok(read) = row_reader::read::<T>(&bytes) else { panic!("a row cannot be read back") };
    let mut again = Vec::new();
    assert!(row_binary::write(&mut again, &read).is_ok() && again == bytes, "a row has changed");
    read
}

/// However much was sent, a row is small. A text may have grown by as much as its scrubbed parts.
fn bounded(row: &EventRow) {
    const SCRUBBED_GROWS_BY: usize = 2;
    let texts = [
        &row.host,
        &row.title,
        &row.source,
        &row.medium,
        &row.campaign,
        &row.term,
        &row.content,
        &row.user_id,
        &row.click_id,
    ];
    for text in texts.into_iter().chain(&row.categories) {
        assert!(text.len() <= SCRUBBED_GROWS_BY * NAME_BYTES_MAX, "{} bytes: {text}", text.len());
    }
    for text in [&row.path, &row.query, &row.referrer] {
        assert!(text.len() <= SCRUBBED_GROWS_BY * URL_BYTES_MAX, "{} bytes: {text}", text.len());
    }
    assert!(row.categories.len() <= CATEGORIES_MAX && row.properties.len() <= PROPERTIES_MAX);
}

/// The bytes of a file of the spool, as they were found: as a block's file, as a request's rows behind
/// a right checksum, and as a block's journal; in an empty folder to work in.
pub fn spool(folder: &Path, bytes: &[u8]) {
    block(bytes);
    let mut framed = Header::bytes(uuid::Uuid::from_u128(7), 3);
    framed.extend_from_slice(Frame::of_payload(bytes).finish());
    block(&framed);
    journal(folder, bytes);
    for file in [bytes, &framed] {
        mended(folder, file);
    }
}

fn block(bytes: &[u8]) {
    let extent = measure(bytes);
    let intact = bytes.get(..extent.intact_bytes).unwrap_or_default();
    let again = measure(intact);
    assert_eq!(again.intact_bytes, extent.intact_bytes, "what is intact stays so");
    assert!(again.tail != Tail::Damaged || extent.intact_bytes == 0);
    let Ok(block) = Block::read(bytes.to_vec()) else { return };
    assert_eq!(extent.tail, Tail::None, "only a whole file is a block");
    for table in Table::ALL {
        for row in block.rows(table) {
            let token = block.token(table);
            Letter::new(&token, table, block.columns(table), row, "", NOW);
        }
    }
}

fn journal(folder: &Path, bytes: &[u8]) {
    let Ok(block) = Block::read(Header::bytes(uuid::Uuid::from_u128(7), 3)) else { return };
    let path = folder.join("journal");
    let text = [block.name().as_bytes(), b"\n", bytes].concat();
    for content in [bytes, &text] {
        written(&path, content);
        let Ok(mut journal) = Journal::open(path.clone(), &block) else { continue };
        let part = 3..9;
        assert!(journal.refuse(Table::Events, &part).is_ok(), "a journal takes a line");
        drop(journal);
        let again = Journal::open(path.clone(), &block);
        assert!(again.is_ok_and(|journal| journal.is_refused(Table::Events, &part)));
    }
    assert!(fs::remove_file(path).is_ok());
}

/// A collector starts on a file that was open, and on one that was sealed: nothing of it is lost in
/// silence, and what waits can be read or is set aside.
fn mended(folder: &Path, bytes: &[u8]) {
    for suffix in ["open", "block"] {
        let spool_dir = folder.join(suffix);
        assert!(fs::create_dir_all(&spool_dir).is_ok());
        written(&spool_dir.join(format!("0000000000000003.{suffix}")), bytes);
        let limits = Limits {
            block_rows_max: 10,
            block_bytes_max: 1024,
            block_age_max: std::time::Duration::from_secs(1),
            bytes_max: u64::MAX,
        };
        let opened = Spool::open(&spool_dir, limits, Durability::Process);
        let Ok((spool, found)) = opened else { panic!("a spool opens on any file: {opened:?}") };
        let whole = measure(bytes);
        let kept = found.waiting.iter().map(|block| block.bytes).sum::<u64>()
            + if found.damaged.is_empty() { 0 } else { bytes.len() as u64 }
            + found.cut_bytes;
        let holds_rows = whole.has_header() && !whole.is_empty();
        assert!(!holds_rows || kept >= bytes.len() as u64, "{kept} of {} bytes", bytes.len());
        let mut sequences = HashSet::new();
        for sealed in &found.waiting {
            assert!(sequences.insert(sealed.sequence), "a block waits once");
            match spool.read(*sealed) {
                Ok(Ok(_)) => {}
                // A file that was open is cut to its whole frames, which are whole rows or none.
                Ok(Err(_)) => assert!(spool.set_aside_damaged(*sealed).is_ok()),
                Err(error) => panic!("a block that waits can be read: {error}"),
            }
        }
        drop(spool);
        assert!(fs::remove_dir_all(&spool_dir).is_ok());
    }
}

fn written(path: &Path, bytes: &[u8]) {
    assert!(fs::write(path, bytes).is_ok(), "the folder takes files");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file that is kept for a target; there are some.
    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let seeds: Vec<_> = files.map(|file| fs::read(file).unwrap()).collect();
        assert!(seeds.len() > 5, "{} seeds of {target}", seeds.len());
        seeds
    }

    #[test]
    fn the_seeds_of_the_wire_hold() {
        seeds("wire").iter().for_each(|seed| wire(seed));
    }

    #[test]
    fn the_seeds_of_the_segment_adapter_hold() {
        seeds("segment").iter().for_each(|seed| segment(seed));
    }

    #[test]
    fn the_seeds_of_the_spool_file_hold() {
        let folder = tempfile::tempdir().unwrap();
        seeds("spool").iter().for_each(|seed| spool(folder.path(), seed));
    }
}
