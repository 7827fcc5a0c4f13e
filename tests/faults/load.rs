//! Browsers that send without a pause and remember which events were answered with 202. None sends
//! an event a second time: whatever is stored twice was inserted twice.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::ensure;
use footfall_tests::eventually;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::PATIENCE;
use super::house::Address;

/// A program's events would be set apart.
pub(super) const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Browsers so far: their events' ids begin with their numbers, and no two loads may have the same.
static BROWSERS: AtomicU64 = AtomicU64::new(0);

#[derive(Default)]
struct Seen {
    answered: Mutex<Vec<String>>,
    refused: AtomicUsize,
    ended: AtomicBool,
}

pub(super) struct Load {
    seen: Arc<Seen>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// So many browsers, each with batches of so many events.
    pub(super) fn start(address: &Address, browsers: u64, events: u64) -> Self {
        let seen = Arc::new(Seen::default());
        let browser = |_| {
            let browser = BROWSERS.fetch_add(1, Ordering::Relaxed);
            let (address, seen) = (Arc::clone(address), Arc::clone(&seen));
            std::thread::spawn(move || browse(browser, events, &address, &seen))
        };
        Self { threads: (0..browsers).map(browser).collect(), seen }
    }

    /// Events answered so far.
    pub(super) fn answered(&self) -> usize {
        self.seen.answered.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Requests answered with 503 so far.
    pub(super) fn refused(&self) -> usize {
        self.seen.refused.load(Ordering::Relaxed)
    }

    /// Waits until so many more events were answered.
    pub(super) fn goes_on(&self, events: usize) {
        let enough = self.answered() + events;
        eventually(PATIENCE, || {
            ensure!(self.answered() >= enough, "{} of {enough} were answered", self.answered());
            Ok(())
        })
        .unwrap();
    }

    /// Ends it, and gives the ids of all events that were answered.
    pub(super) fn end(self) -> Vec<String> {
        self.seen.ended.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        std::mem::take(&mut *self.seen.answered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One page view of a browser of its own, answered with 202; its id.
pub(super) fn view(url: &str) -> String {
    let browser = BROWSERS.fetch_add(1, Ordering::Relaxed);
    let ids = [id(browser, 0)];
    assert_eq!(send(&Agent::new_with_defaults(), url, browser, &ids).unwrap().status(), 202);
    let [id] = ids;
    id
}

fn send(
    agent: &Agent,
    url: &str,
    browser: u64,
    ids: &[String],
) -> Result<Response<Body>, ureq::Error> {
    let post = agent.post(format!("{url}/v1/events")).header("user-agent", BROWSER);
    // Heard of where the collector trusts this machine: an address of London in the test files.
    post.header("x-forwarded-for", "81.2.69.142").send(batch(browser, ids))
}

fn browse(browser: u64, events: u64, address: &Address, seen: &Seen) {
    let config = Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .http_status_as_error(false)
        .build();
    let agent = Agent::new_with_config(config);
    for number in 0_u64.. {
        if seen.ended.load(Ordering::Relaxed) {
            return;
        }
        let ids: Vec<String> =
            (0..events).map(|event| id(browser, number * events + event)).collect();
        let url = address.read().unwrap_or_else(PoisonError::into_inner).clone();
        let answer = send(&agent, &url, browser, &ids);
        match answer.map(|answer| answer.status().as_u16()) {
            Ok(202) => {
                seen.answered.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
            }
            Ok(503) => {
                seen.refused.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(status) => panic!("answered {status}"),
            // The collector is just being ended or started.
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

pub(super) fn id(browser: u64, number: u64) -> String {
    format!("018f0000-{browser:04x}-7000-8000-{number:012x}")
}

pub(super) fn batch(browser: u64, ids: &[String]) -> String {
    let now = UNIX_EPOCH.elapsed().unwrap().as_millis();
    let visitor = format!("018f0000-0000-7000-8000-00000000{browser:04x}");
    let event = |id: &String| {
        format!(
            r#"{{"id":"{id}","type":"page_view","at":{now},"visitor":"{visitor}","session":"{visitor}",
            "url":"https://shop.example/coffee/{id}","title":"A page with a title as long as titles are"}}"#
        )
    };
    let events: Vec<String> = ids.iter().map(event).collect();
    format!(r#"{{"site":"shop","sent_at":{now},"events":[{}]}}"#, events.join(","))
}
