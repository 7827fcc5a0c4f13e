//! What an append costs: our spool beside what a maintained crate would be used for in its place.
//!
//! `process`: what was appended survives `kill -9`. Of the three crates only fjall has that; okaywal
//! syncs always, and what redb has not synced is gone with the process. `disk`: each append waits for an
//! fsync. `one` is one task or thread; in `group` sixteen append at the same time. okaywal shares an
//! fsync among them by itself, as ours does; for fjall and redb a thread gathers what waits into one
//! transaction, which is what whoever uses them would write.
//!
//! The contenders take turns, so that whatever else the machine does hurts all alike, and the median of
//! the rounds counts. Nothing is read back or removed.
//! `cargo bench -p collector --features bench --bench spool`; a number after `--` sets the rounds.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement that cannot go on fails by a panic"
)]

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use collector::Durability;
use collector::bench_spool::BenchSpool;
use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use okaywal::{LogVoid, WriteAheadLog};
use redb::TableDefinition;
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;

/// One event's rows, and fifty events'.
const FRAME_BYTES: [usize; 2] = [1024, 50 * 1024];
const GROUP: u64 = 16;
const ROUNDS: usize = 5;
const FRAMES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("frames");

/// What is appended, by how many at a time.
#[derive(Clone, Copy)]
struct Load<'a> {
    frame: &'a [u8],
    writers: u64,
    appends: u64,
    durability: Durability,
}

impl Load<'_> {
    fn share(&self, writer: u64) -> u64 {
        self.appends / self.writers + u64::from(writer < self.appends % self.writers)
    }
}

/// Appends the load in the folder, and gives how long that took.
type Contender = fn(&Path, Load<'_>) -> Duration;

fn ours(folder: &Path, load: Load<'_>) -> Duration {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let spool = BenchSpool::open(folder, load.durability);
        let began = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for writer in 0..load.writers {
            let (spool, frame, share) = (spool.clone(), load.frame.to_vec(), load.share(writer));
            tasks.spawn(async move {
                for _ in 0..share {
                    spool.append(&frame).await;
                }
            });
        }
        tasks.join_all().await;
        began.elapsed()
    })
}

/// By so many threads: these crates block the thread that appends.
fn by_threads(load: Load<'_>, append: impl Fn() + Sync) -> Duration {
    let began = Instant::now();
    std::thread::scope(|scope| {
        for writer in 0..load.writers {
            let append = &append;
            scope.spawn(move || (0..load.share(writer)).for_each(|_| append()));
        }
    });
    began.elapsed()
}

/// A frame's number, and whom to tell that it is on the disk.
type Waiting = (u64, mpsc::SyncSender<()>);

/// By so many threads, of whose frames another thread makes one transaction at a time: all that wait.
fn gathered(load: Load<'_>, mut commit: impl FnMut(&[Waiting]) + Send) -> Duration {
    let began = Instant::now();
    let (sender, receiver) = mpsc::channel::<Waiting>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while let Ok(first) = receiver.recv() {
                let waiting: Vec<_> = std::iter::once(first).chain(receiver.try_iter()).collect();
                commit(&waiting);
                waiting.iter().for_each(|(_, done)| done.send(()).unwrap());
            }
        });
        for writer in 0..load.writers {
            let sender = sender.clone();
            scope.spawn(move || {
                let (done, is_done) = mpsc::sync_channel(1);
                for at in 0..load.share(writer) {
                    sender.send((writer << 32 | at, done.clone())).unwrap();
                    is_done.recv().unwrap();
                }
            });
        }
        drop(sender);
    });
    began.elapsed()
}

fn fjall(folder: &Path, load: Load<'_>) -> Duration {
    let database = Database::builder(folder).open().unwrap();
    let frames = database.keyspace("frames", KeyspaceCreateOptions::default).unwrap();
    let next = std::sync::atomic::AtomicU64::new(0);
    let next = || next.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_be_bytes();
    let took = match load.durability {
        Durability::Process => by_threads(load, || frames.insert(next(), load.frame).unwrap()),
        Durability::Disk => gathered(load, |waiting| {
            let mut batch = database.batch().durability(Some(PersistMode::SyncData));
            for (number, _) in waiting {
                batch.insert(&frames, number.to_be_bytes(), load.frame);
            }
            batch.commit().unwrap();
        }),
    };
    assert_eq!(frames.len().unwrap() as u64, load.appends);
    took
}

fn okaywal(folder: &Path, load: Load<'_>) -> Duration {
    let log = WriteAheadLog::recover(folder, LogVoid).unwrap();
    let took = by_threads(load, || {
        let mut entry = log.begin_entry().unwrap();
        entry.write_chunk(load.frame).unwrap();
        entry.commit().unwrap();
    });
    log.shutdown().unwrap();
    took
}

fn redb(folder: &Path, load: Load<'_>) -> Duration {
    let database = redb::Database::create(folder.join("frames")).unwrap();
    gathered(load, |waiting| {
        let write = database.begin_write().unwrap();
        let mut frames = write.open_table(FRAMES).unwrap();
        for (number, _) in waiting {
            frames.insert(number, load.frame).unwrap();
        }
        drop(frames);
        write.commit().unwrap();
    })
}

/// The process' CPU time so far, its threads' and the system's for it included.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Prints, for each contender, the medians of the time and of the CPU time of one append.
fn compare(name: &str, load: Load<'_>, rounds: usize, contenders: &[(&str, Contender)]) {
    let mut times = vec![(Vec::new(), Vec::new()); contenders.len()];
    for _ in 0..rounds {
        for ((_, contender), (took, used)) in contenders.iter().zip(&mut times) {
            let folder = TempDir::new().unwrap();
            let before = cpu();
            let micros = |time: Duration| time.as_secs_f64() * 1e6 / load.appends as f64;
            took.push(micros(contender(folder.path(), load)));
            used.push(micros(cpu() - before));
        }
    }
    let mut ours = None;
    for ((contender, _), (took, used)) in contenders.iter().zip(times) {
        let (took, used) = (median(took), median(used));
        let (our_took, our_used) = *ours.get_or_insert((took, used));
        let (slower, dearer) = (took / our_took, used / our_used);
        println!(
            "{name:<8} {:>6} B  {contender:<8} {took:>9.1} us {slower:>7.2}  cpu {used:>8.1} us {dearer:>7.2}",
            load.frame.len(),
        );
    }
}

fn main() {
    let rounds = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    let in_process: [(&str, Contender); 2] = [("ours", ours), ("fjall", fjall)];
    let on_disk: [(&str, Contender); 4] =
        [("ours", ours), ("fjall", fjall), ("okaywal", okaywal), ("redb", redb)];
    println!("what        frame  who          an append, times ours       its cpu, times ours");
    for bytes in FRAME_BYTES {
        let frame: Vec<u8> = (0..bytes).map(|at| (at * 31 % 251) as u8).collect();
        let load =
            |writers, appends, durability| Load { frame: &frame, writers, appends, durability };
        // About as many bytes of either size, and no more fsyncs than a slow disk does in a second.
        let appends = 64 * 1024 * 1024 / bytes as u64;
        let (process, disk) = (Durability::Process, Durability::Disk);
        compare("process", load(1, appends, process), rounds, &in_process);
        compare("group", load(GROUP, appends, process), rounds, &in_process);
        compare("disk", load(1, 100, disk), rounds, &on_disk);
        compare("d.group", load(GROUP, 1600, disk), rounds, &on_disk);
    }
}
