//! The embedded engine's life. The program around it is `examples/engine.rs`, which cargo builds with the
//! tests; the library is where `FOOTFALL_CLICKHOUSE_LIBRARY` says, or where `cargo xtask fetch` puts it.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use store::embedded::{Engine, EngineConfig, EngineError};
use store::migrate::migrate;
use store::testing::{insert, visitor};
use store::{Address, OpenOptions, Server, open};
use tempfile::TempDir;

/// How long an engine may take to end, on a machine that does much else; to start it has twice that.
const PATIENCE: Duration = Duration::from_secs(60);

/// The example beside this test's own folder: `target/debug/deps/..` and `target/debug/examples/engine`.
fn program() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let program = here.parent().and_then(Path::parent).unwrap().join("examples").join("engine");
    assert!(
        program.is_file(),
        "{program:?} is not built; `cargo build -p store --examples` does it"
    );
    program
}

fn library() -> Option<PathBuf> {
    std::env::var_os("FOOTFALL_CLICKHOUSE_LIBRARY").map(PathBuf::from)
}

fn config(data_dir: &TempDir) -> EngineConfig {
    EngineConfig {
        program: program(),
        library: library(),
        data_dir: data_dir.path().to_owned(),
        http_port: 0,
    }
}

fn options(data_dir: &TempDir) -> OpenOptions {
    let EngineConfig { program, library, data_dir, http_port } = config(data_dir);
    OpenOptions {
        clickhouse_url: None,
        data_dir,
        library,
        engine_port: http_port,
        share: true,
        program,
    }
}

async fn start(data_dir: &TempDir) -> Engine {
    match Engine::start(&config(data_dir)).await {
        Ok(engine) => engine,
        Err(error) => panic!("{error}"),
    }
}

async fn count(server: &Server) -> u64 {
    server.client().query("SELECT count() FROM events FINAL").fetch_one().await.unwrap()
}

fn listens(address: &Address) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, address.url.port().unwrap())).is_ok()
}

/// A program of its own that holds an engine; killed when dropped.
struct Holder {
    child: Child,
    address: Address,
}

impl Holder {
    fn start(data_dir: &TempDir) -> Self {
        let mut command = Command::new(program());
        command.arg("hold").arg(data_dir.path()).arg("0").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().parse().expect("the engine's address on the first line");
        Self { child, address }
    }

    /// SIGKILL: the program can do nothing any more.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.kill();
        }
    }
}

#[tokio::test]
async fn the_engine_ends_with_a_killed_parent_and_what_was_acknowledged_is_there_after() {
    let data_dir = TempDir::new().unwrap();
    let mut holder = Holder::start(&data_dir);
    let server = Server::new(&holder.address);
    migrate(&server).await.unwrap();
    insert(&server, &visitor("ada").views("/").does("add_to_cart").rows()).await;
    holder.kill();
    let killed = Instant::now();
    while listens(&holder.address) {
        assert!(killed.elapsed() < PATIENCE, "the engine outlives its parent");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    // A stale address and an engine that may still be ending are no obstacle.
    let store = open(&options(&data_dir)).await.unwrap();
    assert!(store.owns_engine());
    assert_eq!(count(&store.server).await, 2);
    assert_eq!(migrate(&store.server).await.unwrap(), []);
    let address = store.server.address().clone();
    store.close().await.unwrap();
    assert!(!listens(&address));
    assert!(!data_dir.path().join("clickhouse/engine.url").exists());
}

#[tokio::test]
async fn a_taken_folder_is_told_with_who_has_it_and_open_shares_its_engine() {
    let data_dir = TempDir::new().unwrap();
    let engine = start(&data_dir).await;
    let error = Engine::start(&config(&data_dir)).await.unwrap_err();
    let told = format!("(process {})", engine.pid());
    assert!(matches!(error, EngineError::FolderTaken { .. }), "{error:?}");
    assert!(error.to_string().contains(&told), "{error} has no {told}");

    let shared = open(&options(&data_dir)).await.unwrap();
    assert!(!shared.owns_engine());
    assert_eq!(shared.server.address(), engine.address());
    shared.close().await.unwrap();
    Server::new(engine.address()).ping().await.unwrap();
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn who_wants_an_engine_of_its_own_waits_until_the_folder_is_free() {
    let data_dir = tempfile::tempdir().unwrap();
    let first = open(&options(&data_dir)).await.unwrap();
    let second = OpenOptions { share: false, ..options(&data_dir) };
    let second = tokio::spawn(async move { open(&second).await });
    let third = open(&options(&data_dir)).await.unwrap();
    assert!(!third.owns_engine());
    assert!(!second.is_finished());
    first.close().await.unwrap();
    assert!(second.await.unwrap().unwrap().owns_engine());
}

#[tokio::test]
async fn an_engine_that_ends_by_itself_is_started_again_on_the_same_port() {
    let data_dir = TempDir::new().unwrap();
    let mut engine = start(&data_dir).await;
    let server = Server::new(engine.address());
    migrate(&server).await.unwrap();
    insert(&server, &visitor("ada").views("/").rows()).await;
    let killed = engine.pid();
    let kill = Command::new("kill").args(["-9", &killed.to_string()]).status().unwrap();
    assert!(kill.success());
    // Told again once it is ready, so its being there says that the engine is back.
    let told = data_dir.path().join("clickhouse/engine.url");
    std::fs::remove_file(&told).unwrap();
    let back = async {
        while !told.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        count(&server).await
    };
    let counted = tokio::select! {
        counted = tokio::time::timeout(2 * PATIENCE, back) => counted.unwrap(),
        never = engine.keep() => match never {},
    };
    assert_eq!(counted, 1);
    assert_ne!(engine.pid(), killed);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn two_that_open_at_once_share_one_engine() {
    let data_dir = TempDir::new().unwrap();
    let options = options(&data_dir);
    let (one, other) = tokio::join!(open(&options), open(&options));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.owns_engine(), other.owns_engine());
    assert_eq!(one.server.address(), other.server.address());
    one.close().await.unwrap();
    other.close().await.unwrap();
}

#[tokio::test]
async fn a_page_of_some_site_cannot_speak_to_the_engine() {
    let data_dir = TempDir::new().unwrap();
    let engine = start(&data_dir).await;
    for (header, value) in [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")] {
        let server = Server::new(engine.address());
        let browser = server.client().clone().with_header(header, value);
        let refused = browser.query("SELECT 1").execute().await.unwrap_err().to_string();
        assert!(refused.contains("not for browsers"), "{header}: {refused}");
        server.ping().await.unwrap();
    }
    engine.stop().await.unwrap();
}

/// Without the kernel's signal, which only Linux has: the parent lives on, and only lets go of the pipe.
#[tokio::test]
async fn the_engine_ends_with_the_pipe_at_its_standard_input() {
    let data_dir = TempDir::new().unwrap();
    let engine = start(&data_dir).await;
    let address = engine.address().clone();
    drop(engine);
    let begun = Instant::now();
    while listens(&address) {
        assert!(begun.elapsed() < PATIENCE, "the engine runs on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Stands in for ClickHouse's own program: tells its arguments and stays.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_clickhouse_program_gets_the_same_arguments_and_has_the_folder() {
    use std::os::unix::fs::PermissionsExt;

    let data_dir = TempDir::new().unwrap();
    let script = data_dir.path().join("clickhouse-program");
    std::fs::write(&script, "#!/bin/sh\necho \"$*\"\nexec sleep 60\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let folder = data_dir.path().join("clickhouse");
    let mut command = Command::new(program());
    command.arg("engine").arg("--path").arg(&folder).args(["--http-port", "4402"]);
    command.arg("--program").arg(&script).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let folder_taken = Engine::start(&config(&data_dir)).await.unwrap_err();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.starts_with("local --config-file="), "{line}");
    assert!(line.contains(" --query=SYSTEM START LISTEN HTTP; SELECT "), "{line}");
    assert!(line.ends_with(" -- --listen_host=127.0.0.1 --http_port=4402\n"), "{line}");
    assert!(folder_taken.to_string().contains(&format!("(process {})", child.id())));
    let free = start(&data_dir).await;
    free.stop().await.unwrap();
}

#[tokio::test]
async fn a_taken_port_is_told_with_what_to_do() {
    let data_dir = TempDir::new().unwrap();
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = holder.local_addr().unwrap().port();
    let taken = EngineConfig { http_port: port, ..config(&data_dir) };
    let error = Engine::start(&taken).await.unwrap_err();
    assert!(matches!(error, EngineError::PortTaken { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains(&format!("port {port}")) && said.contains("--engine-port"), "{said}");
}

#[tokio::test]
async fn a_child_that_ends_early_is_told_at_once_with_the_end_of_its_log() {
    let data_dir = TempDir::new().unwrap();
    let file = data_dir.path().join("not-a-library.so");
    std::fs::write(&file, "text").unwrap();
    let begun = Instant::now();
    let broken = EngineConfig { library: Some(file), ..config(&data_dir) };
    let error = Engine::start(&broken).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(30), "it waited for an answer of the dead");
    assert!(matches!(error, EngineError::Ended { .. }), "{error:?}");
    assert!(error.to_string().contains("not-a-library.so cannot be loaded"), "{error}");
}

#[tokio::test]
async fn an_address_given_is_used_and_no_engine_started() {
    let data_dir = TempDir::new().unwrap();
    let url = "http://ana:secret@127.0.0.1:1/elsewhere".to_owned();
    let options = OpenOptions { clickhouse_url: Some(url), ..options(&data_dir) };
    let store = open(&options).await.unwrap();
    assert!(!store.owns_engine());
    assert_eq!(store.server.database(), "elsewhere");
    let error = store.server.ping().await.unwrap_err().to_string();
    assert_eq!(error, "ClickHouse at http://127.0.0.1:1/elsewhere cannot be reached");
    assert!(!data_dir.path().join("clickhouse").exists());
}
