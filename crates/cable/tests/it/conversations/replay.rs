//! Plays a conversation against a cable, in memory or over the network.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cable::{Cable, Incoming, Message, Opening, Options, Outgoing, Protocol};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message as WsMessage;

use super::script::{Line, Script, Step};
use crate::support::{App, Client, Server, Socket, options, settle};

/// What the server said.
#[derive(Debug)]
pub(crate) enum Heard {
    Json(Value),
    Closed(u16),
    /// The answer to the transport's own ping.
    Pong,
    Nothing,
}

/// A way to reach the cable.
pub(crate) trait Transport: Sized {
    type Connection;
    async fn start(app: Arc<App>) -> (Self, Cable);
    /// Connects with an offer of subprotocols; with the one that was chosen, or `-`.
    async fn connect(
        &self,
        who: &str,
        protocol: &str,
        query: &[(String, String)],
    ) -> (Self::Connection, String);
    async fn send_binary(connection: &mut Self::Connection);
    async fn send(connection: &mut Self::Connection, text: String);
    async fn close(connection: &mut Self::Connection);
    /// The next thing the server says; `Nothing` if it has nothing to say. Where something is
    /// expected, it may take its time.
    async fn hear(connection: &mut Self::Connection, expecting: bool) -> Heard;
}

pub(crate) async fn replay<T: Transport>(script: &Script) {
    let app = Arc::new(App::default());
    let (transport, cable) = T::start(Arc::clone(&app)).await;
    let mut player = Player {
        app,
        cable,
        transport,
        connections: HashMap::new(),
        chosen: HashMap::new(),
        names: HashMap::new(),
    };
    for line in &script.lines {
        if let Err(problem) = player.step(&line.step).await {
            let Line { number, text, .. } = line;
            panic!("{}:{number}: {text}\n{problem}", script.name);
        }
    }
}

struct Player<T: Transport> {
    app: Arc<App>,
    cable: Cable,
    transport: T,
    connections: HashMap<String, T::Connection>,
    /// The subprotocol of each connection.
    chosen: HashMap<String, String>,
    /// What `$names` have stood for.
    names: HashMap<String, Value>,
}

impl<T: Transport> Player<T> {
    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Connect {
                who,
                protocol,
                query,
            } => {
                let query: Vec<_> = query
                    .iter()
                    .map(|(k, v)| (k.clone(), self.fill_in(v)))
                    .collect();
                let (connection, chosen) = self.transport.connect(who, protocol, &query).await;
                self.connections.insert(who.clone(), connection);
                self.chosen.insert(who.clone(), chosen);
            }
            Step::Send { who, text } => {
                let text = self.fill_in(text);
                T::send(self.connection(who)?, text).await;
            }
            Step::Binary { who } => T::send_binary(self.connection(who)?).await,
            Step::Spaces { who, count } => T::send(self.connection(who)?, " ".repeat(*count)).await,
            Step::Speaks { who, protocol } => match self.chosen.get(who) {
                Some(chosen) if chosen == protocol => {}
                other => return Err(format!("speaks {other:?}")),
            },
            Step::Expect { who, json } => match T::hear(self.connection(who)?, true).await {
                Heard::Json(heard) if matches(json, &heard, &mut self.names) => {}
                other => return Err(format!("heard {other:?}")),
            },
            Step::Silent { who } => match T::hear(self.connection(who)?, false).await {
                Heard::Nothing => {}
                other => return Err(format!("heard {other:?}")),
            },
            Step::Close { who } => T::close(self.connection(who)?).await,
            Step::Cut { who } => drop(self.connections.remove(who)),
            Step::Closed { who, code } => match T::hear(self.connection(who)?, true).await {
                Heard::Closed(heard) if heard == *code => {}
                other => return Err(format!("heard {other:?}")),
            },
            _ => self.app_step(step).await,
        }
        Ok(())
    }

    async fn app_step(&mut self, step: &Step) {
        match step {
            Step::Broadcast { stream, json, key } => {
                self.cable.broadcast(stream, message(json, key.as_deref()));
            }
            Step::State { stream, json, key } => {
                self.app.set(stream, message(json, key.as_deref()));
            }
            Step::Closes { stream } => self.app.closed.lock().unwrap().push(stream.clone()),
            Step::Disconnect { tag, reconnect } => self.cable.disconnect(tag, *reconnect),
            Step::Drain => {
                let cable = self.cable.clone();
                tokio::spawn(async move { cable.drain(Duration::ZERO).await });
            }
            Step::Time(span) => tokio::time::sleep(*span).await,
            _ => unreachable!("handled by step"),
        }
    }

    fn connection(&mut self, who: &str) -> Result<&mut T::Connection, String> {
        self.connections
            .get_mut(who)
            .ok_or_else(|| format!("{who} is not connected"))
    }

    fn fill_in(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // `$sid2` before `$sid`.
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, value) in names {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), ToOwned::to_owned);
            text = text.replace(name, &value);
        }
        text
    }
}

fn message(json: &Value, key: Option<&str>) -> Message {
    let message = Message::from(json.clone());
    match key {
        Some(key) => message.with_key(key),
        None => message,
    }
}

/// Whether `heard` is what was expected; `"$name"` stands for anything, but always for the same,
/// and `"$_"` for anything at all.
fn matches(expected: &Value, heard: &Value, names: &mut HashMap<String, Value>) -> bool {
    match (expected, heard) {
        (Value::String(name), heard) if name == "$_" => !heard.is_null(),
        (Value::String(name), heard) if name.starts_with('$') => {
            names.entry(name.clone()).or_insert_with(|| heard.clone()) == heard
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(k, v)| b.get(k).is_some_and(|heard| matches(v, heard, names)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| matches(a, b, names))
        }
        (a, b) => a == b,
    }
}

/// Through memory, with paused time.
pub(crate) struct InMemory {
    cable: Cable,
    app: Arc<App>,
}

impl Transport for InMemory {
    type Connection = Client;

    async fn start(app: Arc<App>) -> (Self, Cable) {
        let cable = Cable::new(options());
        (
            Self {
                cable: cable.clone(),
                app,
            },
            cable,
        )
    }

    async fn connect(
        &self,
        who: &str,
        protocol: &str,
        query: &[(String, String)],
    ) -> (Client, String) {
        // What axum's adapter does; the conversations over the network hold the two together.
        let agreed = Protocol::negotiate(protocol.split(','));
        let (name, protocol) = agreed.unwrap_or(("-", Protocol::V1Json));
        let mut opening = Opening::new(protocol);
        for (key, value) in query {
            assert_eq!(key, "sid", "nothing else is known in memory");
            opening = opening.resuming(value);
        }
        let client = Client::open(&self.cable, &self.app, who, opening);
        (client, name.to_owned())
    }

    async fn send_binary(client: &mut Client) {
        client.wire.send_frame(Incoming::Binary);
    }

    async fn send(client: &mut Client, text: String) {
        client.wire.send(text);
    }

    async fn close(client: &mut Client) {
        client.wire.send_frame(Incoming::Close);
    }

    async fn hear(client: &mut Client, _: bool) -> Heard {
        settle().await;
        if !client.wire.has_frame() {
            // Looking for a frame may have answered a ping of the server.
            settle().await;
            return Heard::Nothing;
        }
        match client.wire.recv().await {
            Some(Outgoing::Text(text)) => Heard::Json(serde_json::from_slice(&text).unwrap()),
            Some(Outgoing::Close { code, .. }) => Heard::Closed(code),
            Some(Outgoing::Ping(_)) | None => Heard::Nothing,
        }
    }
}

/// Through axum, with a real client.
pub(crate) struct OverNetwork(Server);

impl Transport for OverNetwork {
    type Connection = Socket;

    async fn start(app: Arc<App>) -> (Self, Cable) {
        // No ping may come between the lines of a conversation in which no time passes.
        let options = Options {
            ping_interval: Duration::from_secs(3600),
            ..Options::default()
        };
        let cable = Cable::new(options);
        (Self(Server::start(cable.clone(), app).await), cable)
    }

    async fn connect(
        &self,
        who: &str,
        protocol: &str,
        query: &[(String, String)],
    ) -> (Socket, String) {
        let mut path = format!("/cable?user={who}");
        for (key, value) in query {
            path.push_str(&format!("&{key}={value}"));
        }
        let offer = (protocol != "-").then_some(protocol);
        let (socket, response) = self.0.connect(&path, offer).await.unwrap();
        let chosen = response.headers().get("sec-websocket-protocol");
        let chosen = chosen.map_or("-", |value| value.to_str().unwrap());
        (socket, chosen.to_owned())
    }

    async fn send_binary(socket: &mut Socket) {
        let bytes = WsMessage::binary(vec![0, 255, 128]);
        socket.send(bytes).await.unwrap();
    }

    async fn send(socket: &mut Socket, text: String) {
        socket.send(WsMessage::text(text)).await.unwrap();
    }

    async fn close(socket: &mut Socket) {
        socket.close(None).await.unwrap();
    }

    async fn hear(socket: &mut Socket, expecting: bool) -> Heard {
        if expecting {
            let longest = Duration::from_secs(10);
            return tokio::time::timeout(longest, next(socket))
                .await
                .unwrap_or(Heard::Nothing);
        }
        // The server answers pings in turn, so that the pong tells that it has read everything
        // before it and sent what followed from that. Twice, for then it also has our answer to a
        // ping of its own.
        for _ in 0..2 {
            if socket.send(WsMessage::Ping("?".into())).await.is_err() {
                return Heard::Nothing;
            }
            match next(socket).await {
                Heard::Pong => {}
                other => return other,
            }
        }
        Heard::Nothing
    }
}

async fn next(socket: &mut Socket) -> Heard {
    loop {
        return match socket.next().await {
            Some(Ok(WsMessage::Text(text))) => Heard::Json(serde_json::from_str(&text).unwrap()),
            Some(Ok(WsMessage::Pong(_))) => Heard::Pong,
            Some(Ok(WsMessage::Close(frame))) => {
                Heard::Closed(frame.map_or(1005, |frame| frame.code.into()))
            }
            // Answered by the library.
            Some(Ok(_)) => continue,
            None | Some(Err(_)) => Heard::Nothing,
        };
    }
}
