//! Who is connected. Each connection is a slot; where all are taken, those on which no request is under
//! way give way, the longest quiet first, so that nobody waits for others' idle connections. What counts
//! as quiet: nothing was sent yet, a head that is not whole, an answer that is not read, a pause between
//! two requests.
//!
//! Where too few are quiet, those whose request's body does not come give way too, the longest awaited first,
//! after a part of the time that a body may take: who trickles would hold all slots for all of it, and come
//! again. Of a body that comes steadily the next piece is awaited, not the end. A request that is being answered
//! never gives way.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::{Duration, Instant};

use atomic_waker::AtomicWaker;
use ipnet::IpNet;
use tokio::sync::Notify;

use super::address::Address;
use super::contains;

/// A connection's state while a request is under way.
const BUSY: u64 = u64::MAX;
/// In a connection's state beside the time, while more of that request's body is awaited. As a number it is more
/// than any time, so by their states the quiet are asked first.
const AWAITED: u64 = 1 << 63;
/// After what part of the time for a body those of whose body too little came may be asked: 1.9 s of 15.
const PART_OF_BODY_TIME: u32 = 8;
/// Bytes of a body that must come in that time: 2 KiB a second, which the slowest telephone sends. To hold 4096
/// slots with less than that, a byte now and then, takes nothing.
const AWAITED_BYTES: usize = 4096;
/// `asked` of a connection that was not asked.
const NOT_ASKED: u64 = u64::MAX;
/// How many give way at once, as a part of the limit: looking through all of them for one would let a
/// flood of connections keep a core busy.
const PART_GIVING_WAY: usize = 64;
/// How long a connection is quiet before it may be asked, in milliseconds: whoever has just connected, or
/// read an answer, is about to say something.
const QUIET_MIN: u64 = 500;
/// How long to wait for a slot before more are asked to give way: a request may have begun on each that
/// was asked.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// All connections now.
#[derive(Debug)]
pub(crate) struct Connections {
    open: Mutex<Open>,
    count_max: usize,
    per_address_max: Option<usize>,
    /// Addresses that may have any number: of proxies, and those the operator names.
    unlimited: Vec<IpNet>,
    /// How long [`AWAITED_BYTES`] are awaited before their connection may be asked, in milliseconds.
    awaited_min: u64,
    began: Instant,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    all: HashMap<u64, Arc<Connection>>,
    by_address: HashMap<Address, usize>,
    next: u64,
}

#[derive(Debug)]
struct Connection {
    /// `None` where its address may have any number.
    address: Option<Address>,
    /// Since when it is quiet, in milliseconds since `began`; or [`BUSY`]; or since when more of a body is
    /// [`AWAITED`], with that.
    state: AtomicU64,
    /// The state for which it was asked to give way, or [`NOT_ASKED`].
    asked: AtomicU64,
    /// Whether requests are finished and none begun.
    closing: AtomicBool,
    /// Of the task that serves it, for whoever asks.
    waker: AtomicWaker,
}

/// A connection's slot; free again when this goes.
#[derive(Debug)]
pub(crate) struct Guest {
    connections: Arc<Connections>,
    number: u64,
    connection: Arc<Connection>,
}

/// What became of a new connection.
#[derive(Debug)]
pub(crate) enum Entered {
    /// It has a slot, and so many of its address's were asked to give way for it.
    Guest(Guest, usize),
    /// Its address has too many, each with a request under way.
    Refused,
}

impl Connections {
    pub(crate) fn new(
        count_max: usize,
        gates: &super::GateSettings,
        trusted_proxies: &[IpNet],
        body_timeout: Duration,
    ) -> Self {
        Self {
            open: Mutex::default(),
            count_max,
            per_address_max: gates.connections_per_address_max,
            unlimited: [&gates.unlimited, trusted_proxies].concat(),
            awaited_min: awaited_min(body_timeout),
            began: Instant::now(),
            freed: Notify::new(),
        }
    }

    /// Waits until a slot is free; `gave_way` is told how many were asked for it.
    pub(crate) async fn room(&self, gave_way: impl Fn(usize)) {
        loop {
            let freed = self.freed.notified();
            let asked = {
                let open = self.open();
                if open.all.len() < self.count_max {
                    return;
                }
                let now = self.now();
                let may = |state| is_quiet(state, now) || self.is_slow(state, now);
                ask(open.all.values(), at_once(self.count_max), may)
            };
            gave_way(asked);
            // Timed out or not: looked at again.
            drop(tokio::time::timeout(ASK_AGAIN, freed).await);
        }
    }

    /// A slot for a new connection, for which [`room`](Self::room) was made.
    pub(crate) fn enter(self: &Arc<Self>, ip: IpAddr) -> Entered {
        let address = Some(Address::of(ip))
            .filter(|_| self.per_address_max.is_some() && !contains(&self.unlimited, ip));
        let mut open = self.open();
        let mut asked = 0;
        if let (Some(address), Some(max)) = (address, self.per_address_max)
            && open.by_address.get(&address).is_some_and(|count| *count >= max)
        {
            let own = open.all.values().filter(|other| other.address == Some(address));
            let now = self.now();
            asked = ask(own, at_once(max), |state| is_quiet(state, now));
            if asked == 0 {
                return Entered::Refused;
            }
        }
        let connection = Arc::new(Connection {
            address,
            state: AtomicU64::new(self.now()),
            asked: AtomicU64::new(NOT_ASKED),
            closing: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        });
        let number = open.next;
        open.next += 1;
        open.all.insert(number, Arc::clone(&connection));
        if let Some(address) = address {
            *open.by_address.entry(address).or_default() += 1;
        }
        Entered::Guest(Guest { connections: Arc::clone(self), number, connection }, asked)
    }

    /// Ends what has been quiet for so long: also a client that does not read its answers, for whom no
    /// other clock runs.
    pub(crate) fn end_quiet(&self, longer_than: Duration) {
        let now = self.now();
        let long = millis(longer_than);
        for connection in self.open().all.values() {
            // Of a body that is awaited another clock runs.
            let since = connection.state.load(Ordering::Relaxed);
            if since & AWAITED == 0 && now.saturating_sub(since) > long {
                connection.ask();
            }
        }
    }

    /// Tells all to finish their requests and to begin none.
    pub(crate) fn close(&self) {
        for connection in self.open().all.values() {
            connection.closing.store(true, Ordering::Relaxed);
            connection.waker.wake();
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        millis(self.began.elapsed())
    }

    /// Whether more of a body has been awaited for so long that the connection may be asked.
    const fn is_slow(&self, state: u64, now: u64) -> bool {
        state != BUSY
            && state & AWAITED != 0
            && now.saturating_sub(state & !AWAITED) >= self.awaited_min
    }
}

/// Whether a connection has been quiet for so long that it may be asked.
const fn is_quiet(state: u64, now: u64) -> bool {
    state & AWAITED == 0 && now.saturating_sub(state) >= QUIET_MIN
}

/// Never less than who is quiet has.
fn awaited_min(body_timeout: Duration) -> u64 {
    millis(body_timeout / PART_OF_BODY_TIME).max(QUIET_MIN)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX) & !AWAITED
}

/// Never none, or a full house would stay full.
const fn at_once(limit: usize) -> usize {
    let part = limit / PART_GIVING_WAY;
    if part == 0 { 1 } else { part }
}

/// Asks those of them that may be asked, the longest quiet first, and says how many there were to ask.
fn ask<'a>(
    connections: impl Iterator<Item = &'a Arc<Connection>>,
    count: usize,
    may: impl Fn(u64) -> bool,
) -> usize {
    let is_new =
        |connection: &&Arc<Connection>| connection.asked.load(Ordering::Relaxed) == NOT_ASKED;
    let state =
        |connection: &'a Arc<Connection>| (connection.state.load(Ordering::Relaxed), connection);
    let mut asked: Vec<_> =
        connections.filter(is_new).map(state).filter(|(state, _)| may(*state)).collect();
    let count = count.min(asked.len());
    if let Some(last) = count.checked_sub(1) {
        asked.select_nth_unstable_by_key(last, |(state, _)| *state);
    }
    asked.iter().take(count).for_each(|(_, connection)| connection.ask());
    count
}

impl Connection {
    fn ask(&self) {
        let state = self.state.load(Ordering::Relaxed);
        let asked = |state| {
            self.asked.compare_exchange(NOT_ASKED, state, Ordering::Relaxed, Ordering::Relaxed)
        };
        if state != BUSY && asked(state).is_ok() {
            self.waker.wake();
        }
    }
}

impl Guest {
    /// Has the task that asks woken when this is asked to give way, or to close. A task that serves a
    /// connection is polled several times a request, so this takes no lock.
    pub(crate) fn wakes(&self, context: &Context<'_>) {
        self.connection.waker.register(context.waker());
    }

    /// Whether it must give way now: it was asked to, and has been quiet, or its body awaited, ever since. After
    /// a pause of the whole machine all have been quiet for long, also those whose requests lie in a buffer; of a
    /// large body half a megabyte is read at a time, which is more than must come. To be asked after
    /// [`wakes`](Self::wakes), so that nothing is missed.
    pub(crate) fn is_to_go(&self) -> bool {
        let asked = self.connection.asked.load(Ordering::Relaxed);
        if asked == NOT_ASKED {
            return false;
        }
        let same = self.connection.state.load(Ordering::Relaxed) == asked;
        if !same {
            self.connection.asked.store(NOT_ASKED, Ordering::Relaxed);
        }
        same
    }

    /// Whether no further request may begin.
    pub(crate) fn is_closing(&self) -> bool {
        self.connection.closing.load(Ordering::Relaxed)
    }

    /// A request is under way until what this gives is dropped.
    pub(crate) fn request(self: &Arc<Self>) -> UnderWay {
        self.connection.state.store(BUSY, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }
}

/// A request of a connection.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Guest>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Guest { connections, connection, .. } = &*self.0;
        connection.state.store(connections.now(), Ordering::Relaxed);
    }
}

impl UnderWay {
    /// The request's body is awaited until what this gives is dropped.
    pub(crate) fn awaits_body(&self) -> BodyAwaited<'_> {
        let Guest { connections, connection, .. } = &*self.0;
        connection.state.store(connections.now() | AWAITED, Ordering::Relaxed);
        BodyAwaited(connection)
    }

    /// Awaits the body anew where so many bytes of it are enough for that, and says so. Only the connection's own
    /// task changes its state, so nothing comes between.
    pub(crate) fn awaits_anew(&self, bytes: usize) -> bool {
        let Guest { connections, connection, .. } = &*self.0;
        let state = connection.state.load(Ordering::Relaxed);
        let is_enough = bytes >= AWAITED_BYTES && state != BUSY && state & AWAITED != 0;
        if is_enough {
            connection.state.store(connections.now() | AWAITED, Ordering::Relaxed);
        }
        is_enough
    }
}

/// A request whose body has not come to its end.
#[derive(Debug)]
pub(crate) struct BodyAwaited<'a>(&'a Connection);

impl Drop for BodyAwaited<'_> {
    fn drop(&mut self) {
        self.0.state.store(BUSY, Ordering::Relaxed);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.all.remove(&self.number);
        if let Some(address) = self.connection.address
            && let Some(count) = open.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
        drop(open);
        self.connections.freed.notify_one();
    }
}

#[cfg(test)]
mod tests;
