//! Who is asked to give way, and who stays.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::gate::Bodies;
use crate::receive::body::{self, Coming};

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
        awaited_min: 2000,
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
    guest.connection.state.store(millis, Ordering::Relaxed);
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

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_gives_way_after_the_quiet() {
    let house = connections(4, 4);
    let guests: Vec<_> = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]
        .map(|ip| enter(&house, ip).unwrap())
        .into();
    let under_way: Vec<_> = guests.iter().take(3).map(Guest::request).collect();
    let [answered, slow, fresh] = under_way.as_slice() else { panic!("three") };
    drop(answered.awaits_body());
    let body = slow.awaits_body();
    quiet_since(&guests[1], AWAITED | 7);
    let _fresh = fresh.awaits_body();
    quiet_since(&guests[3], 9);
    let room = house.room(|_| {});
    tokio::pin!(room);
    let mut rounds = Vec::new();
    for time in [Duration::from_millis(1), 3 * ASK_AGAIN] {
        drop(tokio::time::timeout(time, &mut room).await);
        rounds.push(asked(&guests));
    }
    assert_eq!(rounds[0], [false, false, false, true], "the quiet one first");
    assert_eq!(rounds[1], [false, true, false, true], "neither the fresh nor the answered");
    guests[1].must_go().await;
    drop(body);
    let soon = tokio::time::timeout(Duration::from_millis(1), guests[1].must_go()).await;
    assert!(soon.is_err(), "its body has come after all");
    quiet_since(&guests[1], AWAITED | 7);
    house.end_quiet(Duration::from_secs(1));
    assert!(!is_asked(&guests[1]), "of a body another clock runs");
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

#[test]
fn a_short_time_for_bodies_leaves_a_body_time_to_come() {
    let awaited_min = |millis| awaited_min(Duration::from_millis(millis));
    assert_eq!([500, 15_000].map(awaited_min), [QUIET_MIN, 1875]);
}

#[tokio::test]
async fn a_large_body_that_came_while_the_machine_stood_still_is_not_cut() {
    let house = connections(1, 1);
    let guest = enter(&house, "192.0.2.1").unwrap();
    let (requests, bodies) = (Arc::clone(&guest), Bodies::new());
    let service = service_fn(|request: Request<Incoming>| {
        let (under_way, bodies) = (requests.request(), &bodies);
        async move {
            let (head, body) = request.into_parts();
            let coming = Coming::new(body, &under_way);
            let read = body::read(&head.headers, coming, bodies, Duration::from_secs(600)).await;
            let bytes = read.unwrap().len().to_string();
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(bytes))))
        }
    });
    let (mut client, server) = tokio::io::duplex(2 << 20);
    let mut served = pin!(
        http1::Builder::new()
            .max_buf_size(32 * 1024)
            .serve_connection(TokioIo::new(server), service)
    );
    client.write_all(b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n ").await.unwrap();
    assert!(poll_fn(|context| Poll::Ready(served.as_mut().poll(context).is_pending())).await);
    quiet_since(&guest, AWAITED | 7);
    guest.connection.ask();
    client.write_all(&[b' '; 999_999]).await.unwrap();
    assert!(poll_fn(|context| Poll::Ready(served.as_mut().poll(context).is_pending())).await);
    let state = guest.connection.state.load(Ordering::Relaxed);
    assert!(state != BUSY && state & AWAITED != 0, "hyper reads all of it in one go");
    assert!(!guest.is_to_go(), "its body is cut");
    let mut told = Vec::new();
    let answered = async {
        while !told.ends_with(b"1000000") {
            assert_ne!(client.read_buf(&mut told).await.unwrap(), 0);
        }
    };
    tokio::select! {
        _ = served => panic!("it ends before it is answered"),
        () = answered => {}
    }
}
