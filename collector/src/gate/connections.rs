//! Who is connected. Each connection is a slot; where all are taken, those on which no request is under
//! way give way, the longest quiet first, so that nobody waits for others' idle connections. What counts
//! as quiet: nothing was sent yet, a head that is not whole, an answer that is not read, a pause between
//! two requests.

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

/// `quiet_since` while a request is under way.
const BUSY: u64 = u64::MAX;
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
    /// Milliseconds since `began`, or [`BUSY`].
    quiet_since: AtomicU64,
    /// The `quiet_since` for which it was asked to give way, or [`NOT_ASKED`].
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
    ) -> Self {
        Self {
            open: Mutex::default(),
            count_max,
            per_address_max: gates.connections_per_address_max,
            unlimited: [&gates.unlimited, trusted_proxies].concat(),
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
                ask(open.all.values(), at_once(self.count_max), self.now())
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
            asked = ask(own, at_once(max), self.now());
            if asked == 0 {
                return Entered::Refused;
            }
        }
        let connection = Arc::new(Connection {
            address,
            quiet_since: AtomicU64::new(self.now()),
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
        let long = u64::try_from(longer_than.as_millis()).unwrap_or(u64::MAX);
        for connection in self.open().all.values() {
            let since = connection.quiet_since.load(Ordering::Relaxed);
            if since != BUSY && now.saturating_sub(since) > long {
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
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(BUSY - 1)
    }
}

/// Never none, or a full house would stay full.
const fn at_once(limit: usize) -> usize {
    let part = limit / PART_GIVING_WAY;
    if part == 0 { 1 } else { part }
}

/// Asks the longest quiet of them, and says how many there were to ask.
fn ask<'a>(
    connections: impl Iterator<Item = &'a Arc<Connection>>,
    count: usize,
    now: u64,
) -> usize {
    let quiet =
        |connection: &&Arc<Connection>| connection.asked.load(Ordering::Relaxed) == NOT_ASKED;
    let since = |connection: &'a Arc<Connection>| {
        (connection.quiet_since.load(Ordering::Relaxed), connection)
    };
    let mut quiet: Vec<_> = connections
        .filter(quiet)
        .map(since)
        .filter(|(since, _)| now.saturating_sub(*since) >= QUIET_MIN)
        .collect();
    let count = count.min(quiet.len());
    if let Some(last) = count.checked_sub(1) {
        quiet.select_nth_unstable_by_key(last, |(since, _)| *since);
    }
    quiet.iter().take(count).for_each(|(_, connection)| connection.ask());
    count
}

impl Connection {
    fn ask(&self) {
        let since = self.quiet_since.load(Ordering::Relaxed);
        let asked = |since| {
            self.asked.compare_exchange(NOT_ASKED, since, Ordering::Relaxed, Ordering::Relaxed)
        };
        if since != BUSY && asked(since).is_ok() {
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

    /// Whether it must give way now: it was asked to, and has been quiet ever since. After a pause of the
    /// whole machine all have been quiet for long, also those whose requests lie in a buffer. To be asked
    /// after [`wakes`](Self::wakes), so that nothing is missed.
    pub(crate) fn is_to_go(&self) -> bool {
        let asked = self.connection.asked.load(Ordering::Relaxed);
        if asked == NOT_ASKED {
            return false;
        }
        let quiet = self.connection.quiet_since.load(Ordering::Relaxed) == asked;
        if !quiet {
            self.connection.asked.store(NOT_ASKED, Ordering::Relaxed);
        }
        quiet
    }

    /// Whether no further request may begin.
    pub(crate) fn is_closing(&self) -> bool {
        self.connection.closing.load(Ordering::Relaxed)
    }

    /// A request is under way until what this gives is dropped.
    pub(crate) fn request(self: &Arc<Self>) -> UnderWay {
        self.connection.quiet_since.store(BUSY, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }
}

/// A request of a connection.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Guest>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Guest { connections, connection, .. } = &*self.0;
        connection.quiet_since.store(connections.now(), Ordering::Relaxed);
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
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    impl Guest {
        async fn must_go(&self) {
            poll_fn(|context| {
                self.wakes(context);
                if self.is_to_go() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    }

    fn connections(count_max: usize, per_address_max: usize) -> Arc<Connections> {
        Arc::new(Connections {
            open: Mutex::default(),
            count_max,
            per_address_max: Some(per_address_max),
            unlimited: vec!["10.0.0.0/8".parse().unwrap()],
            began: Instant::now() - Duration::from_secs(60),
            freed: Notify::new(),
        })
    }

    fn enter(connections: &Arc<Connections>, ip: &str) -> Option<Arc<Guest>> {
        match connections.enter(ip.parse().unwrap()) {
            Entered::Guest(guest, _) => Some(Arc::new(guest)),
            Entered::Refused => None,
        }
    }

    fn quiet_since(guest: &Guest, millis: u64) {
        guest.connection.quiet_since.store(millis, Ordering::Relaxed);
    }

    fn is_asked(guest: &Guest) -> bool {
        guest.connection.asked.load(Ordering::Relaxed) != NOT_ASKED
    }

    fn asked(guests: &[Arc<Guest>]) -> Vec<bool> {
        guests.iter().map(|guest| is_asked(guest)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_quiet_gives_way_and_none_with_a_request() {
        let house = connections(3, 3);
        let guests: Vec<_> =
            ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|ip| enter(&house, ip).unwrap()).into();
        let under_way = guests[0].request();
        quiet_since(&guests[1], 7);
        quiet_since(&guests[2], 5);
        let room = house.room(|_| {});
        tokio::pin!(room);
        let soon = tokio::time::timeout(Duration::from_millis(1), &mut room).await;
        assert!(soon.is_err());
        assert_eq!(asked(&guests), [false, false, true]);
        guests[2].must_go().await;
        drop(under_way);
        drop(guests);
        room.await;
    }

    #[tokio::test]
    async fn an_address_has_so_many_and_its_own_give_way() {
        let house = connections(100, 2);
        let mut guests: Vec<_> =
            ["2001:db8::1", "2001:db8::2"].map(|ip| enter(&house, ip).unwrap()).into();
        quiet_since(&guests[0], 5);
        let under_way = guests[1].request();
        guests.push(enter(&house, "2001:db8::3").unwrap());
        assert_eq!(asked(&guests), [true, false, false]);
        guests.remove(0).must_go().await;
        let all_busy = guests[1].request();
        assert!(enter(&house, "2001:db8::4").is_none());
        assert!(enter(&house, "2001:db8:0:1::1").is_some(), "another line");
        let _free: Vec<_> = (0..5).map(|_| enter(&house, "10.0.0.1").unwrap()).collect();
        drop((under_way, all_busy));
        drop(guests);
        assert!(house.open().by_address.is_empty(), "an address is forgotten with its last one");
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_begun_a_request_when_asked_stays() {
        let house = connections(1, 1);
        let guest = enter(&house, "192.0.2.1").unwrap();
        guest.connection.ask();
        let under_way = guest.request();
        let soon = tokio::time::timeout(Duration::from_millis(1), guest.must_go()).await;
        assert!(soon.is_err());
        drop(under_way);
        assert!(!is_asked(&guest), "it can be asked again");
        house.end_quiet(Duration::from_secs(60));
        assert!(!is_asked(&guest));
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_served_since_it_was_asked_stays() {
        let house = connections(1, 1);
        let guest = enter(&house, "192.0.2.1").unwrap();
        quiet_since(&guest, 5);
        house.end_quiet(Duration::from_secs(45));
        assert!(is_asked(&guest));
        drop(guest.request());
        let soon = tokio::time::timeout(Duration::from_millis(1), guest.must_go()).await;
        assert!(soon.is_err());
        quiet_since(&guest, 6);
        house.end_quiet(Duration::from_secs(45));
        guest.must_go().await;
    }

    #[tokio::test]
    async fn all_are_told_to_close_and_woken() {
        let house = connections(9, 9);
        let guest = enter(&house, "192.0.2.1").unwrap();
        let closing = {
            let guest = Arc::clone(&guest);
            tokio::spawn(poll_fn(move |context| {
                guest.wakes(context);
                if guest.is_closing() { Poll::Ready(guest.is_to_go()) } else { Poll::Pending }
            }))
        };
        tokio::task::yield_now().await;
        house.close();
        assert!(!closing.await.unwrap(), "it may finish what it has begun");
    }

    #[tokio::test]
    async fn who_is_quiet_for_too_long_must_go() {
        let house = connections(9, 9);
        let [quiet, busy, fresh] = ["192.0.2.1"; 3].map(|ip| enter(&house, ip).unwrap());
        quiet_since(&quiet, 0);
        let _under_way = busy.request();
        house.end_quiet(Duration::from_secs(45));
        assert_eq!(asked(&[quiet, busy, fresh]), [true, false, false]);
    }
}
