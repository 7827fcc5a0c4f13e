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
pub(crate) struct Event {
    /// For example `Network.responseReceived`.
    pub(crate) name: String,
    pub(crate) parameters: Value,
}

/// One page's end of the protocol.
#[derive(Debug)]
pub(crate) struct Devtools {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    commands: u64,
    events: VecDeque<Event>,
    deadline: Instant,
}

impl Devtools {
    /// Opens a page of its own. No answer is waited for beyond `deadline`.
    pub(crate) async fn open(address: &str, deadline: Instant) -> Result<Self, DoctorError> {
        let (socket, _) = connect_async(address).await.map_err(silent)?;
        let (commands, events) = (0, VecDeque::new());
        let mut page = Self { socket, session: None, commands, events, deadline };
        let target = page.command("Target.createTarget", json!({ "url": "about:blank" })).await?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = page.command("Target.attachToTarget", attach).await?;
        page.session = session["sessionId"].as_str().map(ToOwned::to_owned);
        Ok(page)
    }

    /// A command's answer; what happens meanwhile is kept for [`event`](Self::event).
    pub(crate) async fn command(
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
    pub(crate) async fn event(&mut self, until: Instant) -> Result<Option<Event>, DoctorError> {
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
