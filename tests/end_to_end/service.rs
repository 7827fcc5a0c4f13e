//! `footfall collect` as a service manager runs it: it says when it is ready, reads its files again
//! when told to, and logs in a form that can be read.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use footfall_tests::footfall;
use serde_json::Value;

/// How long the program may take for all that it is asked here.
const PATIENCE: Duration = Duration::from_secs(120);

/// Killed when this goes, or when it takes too long: what is read of it ends then.
struct Service {
    program: Child,
    _goes: Sender<()>,
}

impl Service {
    fn start(command: &mut Command) -> Self {
        let program = command.spawn().unwrap();
        let id = program.id().to_string();
        let (goes, gone) = channel();
        thread::spawn(move || {
            if gone.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                eprintln!("the program is killed after {PATIENCE:?}");
                drop(Command::new("kill").args(["-s", "KILL", &id]).status());
            }
        });
        Self { program, _goes: goes }
    }

    fn signal(&self, name: &str) {
        let told = Command::new("kill").args(["-s", name, &self.program.id().to_string()]).status();
        assert!(told.unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Either fails only where the program has ended already.
        drop(self.program.kill());
        drop(self.program.wait());
    }
}

/// The next thing the service manager is told.
fn told(manager: &UnixDatagram) -> String {
    let mut bytes = [0; 1024];
    let length = manager.recv(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
}

#[test]
fn a_service_says_when_it_is_ready_and_what_it_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // Nothing listens there: the collector starts all the same.
    let arguments = ["collect", "--clickhouse-url", "http://127.0.0.1:9/footfall"];
    let further = ["--collector-listen", "127.0.0.1:0", "--log-format", "json"];
    let mut command = footfall(&[&arguments[..], &further].concat()).unwrap();
    command.arg("--data-dir").arg(folder.path()).args(["--drain-timeout", "100ms"]);
    command.env("NOTIFY_SOCKET", &socket).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut service = Service::start(&mut command);
    let log = BufReader::new(service.program.stderr.take().unwrap());
    assert_eq!(told(&manager), "READY=1");

    service.signal("HUP");
    let mut lines = log.lines().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let read = lines.find(|line| line["fields"]["message"] == "read again what can be read again");
    let read = read.expect("the program goes on after a SIGHUP, and says what it read");
    assert_eq!(read["level"], "INFO");
    assert_eq!(read["fields"]["certificate"], "none");
    assert_eq!(read["fields"]["sites"], 0);

    service.signal("TERM");
    assert_eq!(told(&manager), "STOPPING=1");
    assert!(lines.all(|line| line["timestamp"].is_string()), "every line is one of JSON");
    let ended = service.program.wait().unwrap();
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_certificate_that_is_not_there_ends_the_start_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.pem");
    let absent = absent.to_str().unwrap();
    let data = folder.path().to_str().unwrap();
    let run = footfall_tests::Footfall::run(&[
        "collect",
        "--data-dir",
        data,
        "--clickhouse-url",
        "http://127.0.0.1:9/footfall",
        "--tls-cert",
        absent,
        "--tls-key",
        absent,
    ])
    .unwrap();
    assert_eq!(run.code, Some(64), "{}", run.errors);
    assert_eq!(run.errors.lines().count(), 1, "{}", run.errors);
    assert!(run.errors.contains("cannot take requests by TLS: cannot read"), "{}", run.errors);
}
