//! Who is the same visitor, for how long, and what is left of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use store::Server;

use super::*;
use crate::clock::ManualClock;
use crate::sites::Sites;

/// The middle of a day.
const NOON: i64 = 1_800_014_400_000;
const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;

const ONE: &str = "018f4d5e-0000-7000-8000-00000000000a";
const OTHER: &str = "018f4d5e-0000-7000-8000-00000000000b";

fn site(name: &str, visitors: Visitors) -> Site {
    Site::new(name.parse().unwrap(), []).with_visitors(visitors)
}

fn of(site: &Site, ip: &str, agent: &str, at: i64, salts: &DailySalts) -> Visitor {
    Visitor::of(site, ip.parse().unwrap(), agent, at, salts)
}

/// The id of somebody of the cookieless shop.
fn id(ip: &str, agent: &str, at: i64, salts: &DailySalts) -> Uuid {
    of(&site("shop", Visitors::Cookieless), ip, agent, at, salts).ids("", "").unwrap().0
}

/// The sites, one of them as given, and a ClickHouse that is away.
fn sites(data_dir: &Path, visitors: &str) -> (Sites, Server) {
    let sites = format!(r#"[{{"name":"shop","origins":[],"visitors":"{visitors}"}}]"#);
    fs::write(data_dir.join("sites.json"), sites).unwrap();
    (Sites::load(data_dir), Server::new(&"http://127.0.0.1:9".parse().unwrap()))
}

#[test]
fn a_visitor_is_one_of_a_site_an_address_and_a_program() {
    let folder = tempfile::tempdir().unwrap();
    let salts = DailySalts::load(folder.path(), NOON);
    let one = id("192.0.2.1", "Firefox", NOON, &salts);
    assert_eq!(one.get_version_num(), 8);
    assert_eq!(one, id("192.0.2.1", "Firefox", NOON + HOUR, &salts));
    assert_eq!(one, id("::ffff:192.0.2.1", "Firefox", NOON, &salts));
    assert_ne!(one, id("192.0.2.2", "Firefox", NOON, &salts));
    assert_ne!(one, id("192.0.2.1", "Firefox 2", NOON, &salts));
    let blog = of(&site("blog", Visitors::Cookieless), "192.0.2.1", "Firefox", NOON, &salts);
    assert_ne!(one, blog.ids("", "").unwrap().0);
    let home = id("2001:db8:0:1:aaaa::1", "Firefox", NOON, &salts);
    assert_eq!(home, id("2001:db8:0:1:bbbb::2", "Firefox", NOON, &salts));
    assert_ne!(home, id("2001:db8:0:2:aaaa::1", "Firefox", NOON, &salts));
}

#[test]
fn each_way_of_a_site_takes_its_ids() {
    let folder = tempfile::tempdir().unwrap();
    let salts = DailySalts::load(folder.path(), NOON);
    let of = |visitors, ip| of(&site("shop", visitors), ip, "Firefox", NOON, &salts);
    let made = id("192.0.2.1", "Firefox", NOON, &salts);
    let (one, other) = (Uuid::try_parse(ONE).unwrap(), Uuid::try_parse(OTHER).unwrap());

    let kept = of(Visitors::Kept, "192.0.2.1");
    assert_eq!(kept.ids(ONE, OTHER), Ok((one, Some(other))));
    assert_eq!(kept.ids("", ""), Err(DropReason::VisitorMissing));
    assert_eq!(kept.ids("ada", ""), Err(DropReason::VisitorNotUuid));
    assert_eq!(kept.ids(ONE, "s1"), Err(DropReason::SessionNotUuid));

    let cookieless = of(Visitors::Cookieless, "192.0.2.1");
    for sent in ["", ONE, "ada"] {
        assert_eq!(cookieless.ids(sent, ""), Ok((made, None)));
    }
    let (_, session) = cookieless.ids("", OTHER).unwrap();
    assert!(session.is_some_and(|session| session != other && session.get_version_num() == 8));
    assert_eq!(cookieless.ids("", OTHER).unwrap().1, session);
    assert_ne!(cookieless.ids("", ONE).unwrap().1, session);
    assert_eq!(cookieless.ids("", "s1"), Err(DropReason::SessionNotUuid));

    let either = of(Visitors::Either, "192.0.2.1");
    assert_eq!(either.ids(ONE, OTHER), Ok((one, Some(other))));
    assert_eq!(either.ids("", ""), Ok((made, None)));
    assert_eq!(either.ids("", OTHER).unwrap().1, session);
    assert_eq!(either.ids("ada", ""), Err(DropReason::VisitorNotUuid));

    // A server that does not tell the visitor's address: all of its visitors would be one.
    assert_eq!(of(Visitors::Cookieless, "0.0.0.0").ids(ONE, ""), Err(DropReason::VisitorMissing));
    assert_eq!(of(Visitors::Either, "0.0.0.0").ids(ONE, ""), Ok((one, None)));
}

#[tokio::test]
async fn a_restart_within_the_day_keeps_the_ids_and_the_next_day_has_others() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, away) = sites(folder.path(), "cookieless");
    let salts = DailySalts::load(folder.path(), NOON);
    salts.refresh(&away, &shop, NOON).await;
    let first = id("192.0.2.1", "Firefox", NOON, &salts);

    let file = folder.path().join("visitor-salt");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = DailySalts::load(folder.path(), NOON + HOUR);
    assert_eq!(id("192.0.2.1", "Firefox", NOON + HOUR, &again), first);
    let second = id("192.0.2.1", "Firefox", NOON + DAY, &again);
    assert_ne!(second, first);
    // A clock that goes back over midnight brings no salt back.
    assert_eq!(id("192.0.2.1", "Firefox", NOON, &again), second);
    again.refresh(&away, &shop, NOON).await;
    assert_eq!(id("192.0.2.1", "Firefox", NOON + DAY, &again), second);
}

/// The whole of a folder's files, one after the other.
fn lying_in(folder: &Path) -> String {
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

#[tokio::test]
async fn a_day_that_is_over_leaves_nothing_to_make_its_ids_of() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, away) = sites(folder.path(), "either");
    let salts = DailySalts::load(folder.path(), NOON);
    salts.refresh(&away, &shop, NOON).await;
    let first = id("192.0.2.1", "Firefox", NOON, &salts);
    let kept = fs::read_to_string(folder.path().join("visitor-salt")).unwrap();
    let secret = kept.trim().split_once(' ').unwrap().1.to_owned();
    assert_eq!(secret.len(), 64);
    // Who has the file can make the id: that is what must end with the day.
    let thief = tempfile::tempdir().unwrap();
    fs::write(thief.path().join("visitor-salt"), &kept).unwrap();
    let stolen = DailySalts::load(thief.path(), NOON);
    assert_eq!(id("192.0.2.1", "Firefox", NOON, &stolen), first);

    // Nobody has come since midnight.
    salts.refresh(&away, &shop, NOON + DAY).await;
    assert!(!lying_in(folder.path()).contains(&secret));
    assert_ne!(id("192.0.2.1", "Firefox", NOON, &salts), first);

    // A start on a later day looks for what a former run left over.
    fs::write(folder.path().join("visitor-salt"), &kept).unwrap();
    let late = DailySalts::load(folder.path(), NOON + 3 * DAY);
    assert!(!lying_in(folder.path()).contains(&secret));
    assert_ne!(id("192.0.2.1", "Firefox", NOON, &late), first);
}

#[tokio::test]
async fn the_next_salt_is_made_ahead_and_held() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, away) = sites(folder.path(), "cookieless");
    let late = NOON + 11 * HOUR + HOUR / 2;
    let salts = DailySalts::load(folder.path(), late);
    salts.refresh(&away, &shop, late).await;
    let today = id("192.0.2.1", "Firefox", late, &salts);
    let tomorrow = id("192.0.2.1", "Firefox", late + HOUR, &salts);
    assert_ne!(today, tomorrow);
    salts.refresh(&away, &shop, late + HOUR).await;
    assert_eq!(id("192.0.2.1", "Firefox", late + HOUR, &salts), tomorrow);
}

#[tokio::test]
async fn without_such_a_site_there_is_no_salt() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, away) = sites(folder.path(), "cookieless");
    let salts = DailySalts::load(folder.path(), NOON);
    salts.refresh(&away, &shop, NOON).await;
    let file = folder.path().join("visitor-salt");
    assert!(file.exists());
    let (shop, away) = sites(folder.path(), "kept");
    salts.refresh(&away, &shop, NOON).await;
    assert!(!file.exists());
}

/// The salt of a day that a file of the folder holds, in hex.
fn secret(file: &Path, line: usize) -> String {
    let kept = fs::read_to_string(file).unwrap();
    kept.lines().filter_map(|line| line.split_once(' ')).nth(line).unwrap().1.to_owned()
}

#[tokio::test]
async fn a_salt_that_cannot_be_written_leaves_the_day_s() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, away) = sites(folder.path(), "cookieless");
    let salts = DailySalts::load(folder.path(), NOON);
    salts.refresh(&away, &shop, NOON).await;
    let today = id("192.0.2.1", "Firefox", NOON, &salts);
    let file = folder.path().join("visitor-salt");
    let over = secret(&file, 0);
    // Nothing can be written where a folder with something in it lies.
    fs::create_dir_all(folder.path().join("visitor-salt.new/full")).unwrap();
    let late = NOON + 11 * HOUR + HOUR / 2;
    salts.adopt(&store::visitor_salt::VisitorSalt { day: 20834, salt: [7; 32] }, 20833);
    salts.refresh(&away, &shop, late).await;
    let again = DailySalts::load(folder.path(), late);
    assert_eq!(id("192.0.2.1", "Firefox", late, &again), today, "a restart keeps the ids");
    // What is over is destroyed all the same.
    salts.refresh(&away, &shop, NOON + DAY).await;
    assert!(!fs::read_to_string(&file).unwrap().contains(&over));
    fs::remove_dir_all(folder.path().join("visitor-salt.new")).unwrap();
    salts.refresh(&away, &shop, NOON + DAY).await;
    let again = DailySalts::load(folder.path(), NOON + DAY);
    assert_eq!(
        id("192.0.2.1", "Firefox", NOON + DAY, &again),
        id("192.0.2.1", "Firefox", NOON + DAY, &salts)
    );
}

#[tokio::test]
async fn a_disk_that_stays_full_leaves_the_salt_that_still_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, away) = sites(folder.path(), "cookieless");
    let late = NOON + 11 * HOUR + HOUR / 2;
    let salts = DailySalts::load(folder.path(), late);
    salts.refresh(&away, &shop, late).await;
    salts.adopt(&store::visitor_salt::VisitorSalt { day: 20834, salt: [7; 32] }, 20833);
    salts.refresh(&away, &shop, late).await;
    let file = folder.path().join("visitor-salt");
    let (over, holds) = (secret(&file, 0), secret(&file, 1));
    fs::create_dir_all(folder.path().join("visitor-salt.new/full")).unwrap();
    for _ in 0..2 {
        salts.refresh(&away, &shop, NOON + DAY).await;
        assert!(!fs::read_to_string(&file).unwrap().contains(&over));
        assert_eq!(secret(&file, 0), holds);
    }
    let again = DailySalts::load(folder.path(), NOON + DAY);
    assert_eq!(
        id("192.0.2.1", "Firefox", NOON + DAY, &again),
        id("192.0.2.1", "Firefox", NOON + DAY, &salts)
    );
}

#[tokio::test]
async fn a_crash_before_the_new_salt_is_in_place_leaves_the_former() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, away) = sites(folder.path(), "cookieless");
    let salts = DailySalts::load(folder.path(), NOON);
    salts.refresh(&away, &shop, NOON).await;
    let today = id("192.0.2.1", "Firefox", NOON, &salts);
    drop(salts);
    let file = folder.path().join("visitor-salt");
    fs::hard_link(&file, folder.path().join("visitor-salt.over")).unwrap();
    for _ in 0..2 {
        let again = DailySalts::load(folder.path(), NOON);
        assert_eq!(id("192.0.2.1", "Firefox", NOON, &again), today);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "the sites and the salt");
}

#[tokio::test]
async fn a_former_salt_is_overwritten_where_it_lay() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, away) = sites(folder.path(), "cookieless");
    let salts = DailySalts::load(folder.path(), NOON);
    salts.refresh(&away, &shop, NOON).await;
    let file = folder.path().join("visitor-salt");
    let over = secret(&file, 0);
    // Whoever still has the file open sees what lies where it lay.
    let open = fs::File::open(&file).unwrap();
    salts.refresh(&away, &shop, NOON + DAY).await;
    assert!(!std::io::read_to_string(open).unwrap().contains(&over));
    assert_ne!(secret(&file, 0), over);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "the sites and the salt");
}

#[tokio::test]
async fn what_a_crash_has_left_of_a_salt_is_destroyed_with_its_day() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, away) = sites(folder.path(), "cookieless");
    let salts = DailySalts::load(folder.path(), NOON);
    salts.refresh(&away, &shop, NOON).await;
    let over = secret(&folder.path().join("visitor-salt"), 0);
    for name in ["visitor-salt.new", "visitor-salt.over"] {
        fs::copy(folder.path().join("visitor-salt"), folder.path().join(name)).unwrap();
    }
    drop(salts);
    let salts = DailySalts::load(folder.path(), NOON);
    salts.refresh(&away, &shop, NOON + DAY).await;
    assert!(!lying_in(folder.path()).contains(&over));
}

#[tokio::test]
async fn the_day_turns_in_time_while_clickhouse_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, _) = sites(folder.path(), "cookieless");
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let server = Server::new(&address.parse().unwrap());
    let salts = Arc::new(DailySalts::load(folder.path(), NOON));
    let clock = Arc::new(ManualClock::at(NOON));
    let fresh = Arc::clone(&salts).keep_fresh(server, Arc::new(shop), clock.clone());
    let fresh = tokio::spawn(fresh);
    let _asked = silent.accept().await.unwrap();
    let file = folder.path().join("visitor-salt");
    let over = secret(&file, 0);
    // From here on time is the tests', and the answer never comes.
    tokio::time::pause();
    clock.set(NOON + DAY);
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert!(!lying_in(folder.path()).contains(&over));
    fresh.abort();
}
