//! The browser's protocol: a command has an answer, and events come in between.

use std::collections::VecDeque;

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::DoctorError;

/// What the browser tells: an answer to the command of that number, or an event.
#[derive(Debug, Deserialize)]
struct Told {
    id: Option<u64>,
    #[serde(default)]
    result: Value,
    error: Option<Refusal>,
    #[serde(default)]
    method: String,
    #[serde(default)]
    params: Value,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    message: String,
}

/// Something happened in the page.
#[derive(Debug)]
pub struct Event {
    /// For example `Network.responseReceived`.
    pub name: String,
    /// As the protocol describes them for that name.
    pub parameters: Value,
}

/// One page's end of the protocol.
#[derive(Debug)]
pub struct Devtools {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    commands: u64,
    events: VecDeque<Event>,
    deadline: Instant,
}

impl Devtools {
    /// Opens a page of its own. No answer is waited for beyond `deadline`.
    ///
    /// # Errors
    /// Where the browser does not answer, or refuses.
    pub async fn open(address: &str, deadline: Instant) -> Result<Self, DoctorError> {
        let browser = Self::connect(address, deadline).await?;
        browser.attach(json!({ "url": "about:blank" })).await
    }

    /// The same in a profile of its own, empty, which ends with this value.
    ///
    /// # Errors
    /// As with [`open`](Self::open).
    pub async fn open_in_new_profile(
        address: &str,
        deadline: Instant,
    ) -> Result<Self, DoctorError> {
        let mut browser = Self::connect(address, deadline).await?;
        let ends = json!({ "disposeOnDetach": true });
        let profile = browser.command("Target.createBrowserContext", ends).await?;
        let page = json!({ "url": "about:blank", "browserContextId": profile["browserContextId"] });
        browser.attach(page).await
    }

    async fn connect(address: &str, deadline: Instant) -> Result<Self, DoctorError> {
        let (socket, _) = connect_async(address).await.map_err(silent)?;
        Ok(Self { socket, session: None, commands: 0, events: VecDeque::new(), deadline })
    }

    async fn attach(mut self, page: Value) -> Result<Self, DoctorError> {
        let target = self.command("Target.createTarget", page).await?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.command("Target.attachToTarget", attach).await?;
        self.session = session["sessionId"].as_str().map(ToOwned::to_owned);
        Ok(self)
    }

    /// A command's answer; what happens meanwhile is kept for [`event`](Self::event).
    ///
    /// # Errors
    /// Where the browser refuses it, or does not answer in time.
    pub async fn command(
        &mut self,
        name: &'static str,
        parameters: Value,
    ) -> Result<Value, DoctorError> {
        self.commands += 1;
        let id = self.commands;
        let mut command = json!({ "id": id, "method": name, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        self.socket.send(Message::text(command.to_string())).await.map_err(silent)?;
        loop {
            let told = self.told(self.deadline).await?.ok_or_else(|| silent(name))?;
            match (told.id, told.error) {
                (Some(answered), Some(Refusal { message })) if answered == id => {
                    return Err(DoctorError::Refused { command: name, message });
                }
                (Some(answered), None) if answered == id => return Ok(told.result),
                (None, _) => {
                    self.events.push_back(Event { name: told.method, parameters: told.params });
                }
                _ => {}
            }
        }
    }

    /// The next event; `None` when there is none until then.
    ///
    /// # Errors
    /// Where the browser has ended, or says what is not its protocol.
    pub async fn event(&mut self, until: Instant) -> Result<Option<Event>, DoctorError> {
        if let Some(event) = self.events.pop_front() {
            return Ok(Some(event));
        }
        while let Some(told) = self.told(until).await? {
            if told.id.is_none() {
                return Ok(Some(Event { name: told.method, parameters: told.params }));
            }
        }
        Ok(None)
    }

    async fn told(&mut self, until: Instant) -> Result<Option<Told>, DoctorError> {
        loop {
            let Ok(message) = timeout_at(until, self.socket.next()).await else { return Ok(None) };
            let message = message.ok_or_else(|| silent("it has ended"))?.map_err(silent)?;
            if let Message::Text(text) = message {
                return serde_json::from_str(&text).map(Some).map_err(silent);
            }
        }
    }
}

fn silent(why: impl ToString) -> DoctorError {
    DoctorError::Silent(why.to_string())
}
