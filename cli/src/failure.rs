//! How a failure is told: the whole cause on one line, and an exit code scripts can rely on.

use std::process::ExitCode;

/// Exit code of a program that could not start as it was told to: a port in use, a folder taken, a
/// flag out of range (`EX_USAGE` of sysexits.h). Everything else that fails exits with 1.
const EXIT_START: u8 = 64;

pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("footfall: {error:#}");
    if is_start_error(error) { ExitCode::from(EXIT_START) } else { ExitCode::FAILURE }
}

fn is_start_error(error: &anyhow::Error) -> bool {
    error.is::<collector::StartError>()
        || error.is::<dashboard::StartError>()
        || error.is::<store::OpenError>()
        || error.is::<ListenError>()
}

/// A port this program was told to listen on, and cannot.
#[derive(Debug)]
pub(crate) struct ListenError {
    pub(crate) flag: &'static str,
    pub(crate) address: std::net::SocketAddr,
    pub(crate) source: std::io::Error,
}

impl std::fmt::Display for ListenError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { flag, address, .. } = self;
        write!(out, "cannot listen on {address}: choose another port with {flag}")
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Connections that may wait to be accepted; the system may allow fewer (`net.core.somaxconn`, 4096 on
/// Linux). Whoever comes when all places are taken tries again only after a second.
const BACKLOG: u32 = 4096;

/// Binds before anything else is started, so that a taken port costs nothing.
pub(crate) async fn listen(
    flag: &'static str,
    address: std::net::SocketAddr,
) -> Result<tokio::net::TcpListener, ListenError> {
    bound(address).map_err(|source| ListenError { flag, address, source })
}

fn bound(address: std::net::SocketAddr) -> std::io::Result<tokio::net::TcpListener> {
    use tokio::net::TcpSocket;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A program that is started again must not wait for its former connections' last packets. On
    // Windows this would let two programs have one port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
