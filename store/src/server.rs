//! Where ClickHouse is, and the one way to speak to it: the `clickhouse` crate over HTTP.

use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use clickhouse::Client;
use percent_encoding::percent_decode_str;
use thiserror::Error;
use url::{Host, Url};

use crate::sql;

/// The database where none is named.
pub const DATABASE_DEFAULT: &str = "footfall";

/// How long [`Server::ping`] waits: long enough for a busy server, short enough for a readiness check.
pub const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the small questions of this crate may take.
pub(crate) const QUESTION_TIMEOUT: Duration = Duration::from_secs(30);

const DATABASE_BYTES_MAX: usize = 128;

/// A text that must not be seen: neither `Debug` nor `Display` shows it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(secret)")
    }
}

/// Where a ClickHouse is and who asks. Read from `http://user:password@host:8123/database`; every part
/// but the host may be missing. Shown without user and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Scheme, host and port only.
    pub url: Url,
    /// The database that holds the tables.
    pub database: String,
    /// ClickHouse's user.
    pub user: String,
    /// That user's password, empty where there is none.
    pub password: Secret,
}

/// Why a text is not a ClickHouse address. Never holds the text: it may have a password in it.
#[derive(Debug, Error)]
pub enum AddressError {
    /// Not an address at all.
    #[error(
        "the ClickHouse address is not a URL; it looks like http://user:password@host:8123/database"
    )]
    Url(#[source] url::ParseError),
    /// Another scheme than http or https.
    #[error(
        "the ClickHouse address begins with {scheme}://; only http and https are spoken, port 8123 or 8443"
    )]
    Scheme {
        /// What stood before `://`.
        scheme: String,
    },
    /// A path that is not a database's name.
    #[error(
        "the ClickHouse address names the database {database:?}; a name is 1 to {DATABASE_BYTES_MAX} of a-z, A-Z, 0-9, _ and -"
    )]
    Database {
        /// What stood after the host.
        database: String,
    },
    /// A user or password that is not UTF-8 once decoded.
    #[error("the user or password in the ClickHouse address is not UTF-8")]
    Credentials,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut url = Url::parse(text).map_err(AddressError::Url)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(AddressError::Scheme { scheme: url.scheme().to_owned() });
        }
        let user = decoded(url.username())?;
        let password = decoded(url.password().unwrap_or_default())?;
        let database = decoded(url.path().trim_matches('/'))?;
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if database.len() > DATABASE_BYTES_MAX || !database.bytes().all(inner) {
            return Err(AddressError::Database { database });
        }
        let bare = url.set_username("").and_then(|()| url.set_password(None));
        bare.map_err(|()| AddressError::Credentials)?;
        url.set_path("");
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self {
            url,
            database: if database.is_empty() { DATABASE_DEFAULT.to_owned() } else { database },
            user: if user.is_empty() { "default".to_owned() } else { user },
            password: Secret(password),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.url, self.database)
    }
}

fn decoded(part: &str) -> Result<String, AddressError> {
    let text = percent_decode_str(part).decode_utf8().map_err(|_| AddressError::Credentials)?;
    Ok(text.into_owned())
}

/// A ClickHouse that can be asked and written to. Cheap to clone; clones share the connections.
///
/// Nothing is set for every query: whoever reads `events`, `bot_events`, `identifiers` or `suppressions`
/// writes `FINAL` in its own SQL (a retried event is two rows until a merge), and whoever inserts blocks
/// sets `insert_deduplication_token` on that insert.
#[derive(Clone)]
pub struct Server {
    client: Client,
    /// As `client`, but with no database, which may not exist yet.
    outside: Client,
    address: Address,
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Why a question to ClickHouse has no answer.
#[derive(Debug, Error)]
pub enum ServerError {
    /// No connection, or it broke.
    #[error("ClickHouse at {address} cannot be reached")]
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// What the connection said.
        #[source]
        source: clickhouse::error::Error,
    },
    /// No answer in time.
    #[error("ClickHouse at {address} gave no answer within {} s", limit.as_secs())]
    TimedOut {
        /// Where it was asked.
        address: String,
        /// How long was waited.
        limit: Duration,
    },
    /// ClickHouse answered, and said no; or its answer is not what was asked for.
    #[error("ClickHouse at {address} refused: {source}")]
    Refused {
        /// Where it was asked.
        address: String,
        /// What it said.
        source: clickhouse::error::Error,
    },
}

impl Server {
    /// Connects when first asked, so this cannot fail. LZ4 both ways; rows are checked against the table's
    /// columns by name and type.
    #[must_use]
    pub fn new(address: &Address) -> Self {
        let mut outside = Client::default()
            .with_url(address.url.as_str())
            .with_user(&address.user)
            .with_product_info("footfall", env!("CARGO_PKG_VERSION"))
            .with_validation(true);
        if !address.password.expose().is_empty() {
            outside = outside.with_password(address.password.expose());
        }
        let client = outside.clone().with_database(&address.database);
        Self { client, outside, address: address.clone() }
    }

    /// The crate's client, its database set.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The client with no database set.
    pub(crate) fn outside(&self) -> &Client {
        &self.outside
    }

    /// The database that holds the tables.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.address.database
    }

    /// Scheme, host and port, nothing secret.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.address.url
    }

    /// Whether it is reached without a network: bytes between the two are cheap.
    #[must_use]
    pub fn is_on_loopback(&self) -> bool {
        match self.address.url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }

    /// Where this server is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Tells whether ClickHouse answers to this user; the database need not exist.
    ///
    /// # Errors
    /// After [`PING_TIMEOUT`], or what ClickHouse said.
    pub async fn ping(&self) -> Result<(), ServerError> {
        let one = self.outside.query(sql::PING).fetch_one::<u8>();
        self.within(PING_TIMEOUT, one).await.map(|_| ())
    }

    /// Waits for an answer of this server, but not longer than `limit`, and tells apart a server that is
    /// away from one that refuses.
    ///
    /// # Errors
    /// One [`ServerError`] for every way to have no answer.
    pub async fn within<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = Result<T, clickhouse::error::Error>>,
    ) -> Result<T, ServerError> {
        use clickhouse::error::Error;

        let address = || self.address.to_string();
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(source @ Error::Network(_))) => {
                Err(ServerError::Unreachable { address: address(), source })
            }
            Ok(Err(Error::TimedOut)) | Err(_) => {
                Err(ServerError::TimedOut { address: address(), limit })
            }
            Ok(Err(source)) => Err(ServerError::Refused { address: address(), source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_parts_and_shows_no_password() {
        let address: Address = "https://ana:p%40ss@ch.example:8443/shop_1".parse().unwrap();
        assert_eq!(address.url.as_str(), "https://ch.example:8443/");
        assert_eq!((address.user.as_str(), address.database.as_str()), ("ana", "shop_1"));
        assert_eq!(address.password.expose(), "p@ss");
        let shown = format!("{address} {address:?} {:?}", Server::new(&address));
        assert!(!shown.contains("p@ss") && !shown.contains("p%40ss"), "{shown}");
        assert!(shown.starts_with("https://ch.example:8443/shop_1 "), "{shown}");
    }

    #[test]
    fn an_address_of_a_host_alone_has_the_defaults() {
        let address: Address = "http://127.0.0.1:8123".parse().unwrap();
        assert_eq!((address.user.as_str(), address.database.as_str()), ("default", "footfall"));
        assert_eq!(address.to_string(), "http://127.0.0.1:8123/footfall");
    }

    #[test]
    fn a_server_of_this_machine_is_told_from_others() {
        let is_on_loopback =
            |address: &str| Server::new(&address.parse().unwrap()).is_on_loopback();
        for address in ["http://127.0.0.1:8123/a", "http://[::1]", "http://localhost:8123"] {
            assert!(is_on_loopback(address), "{address}");
        }
        for address in ["http://10.0.0.1:8123", "http://localhost.example", "https://[fe80::1]"] {
            assert!(!is_on_loopback(address), "{address}");
        }
    }

    #[test]
    fn refuses_other_schemes_and_odd_databases_without_showing_the_password() {
        for text in
            ["tcp://u:secret@h:9000", "http://u:secret@h/a/b", "http://u:secret@h/a;b", "h:secret"]
        {
            let error = text.parse::<Address>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret:"), "{error:?}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
