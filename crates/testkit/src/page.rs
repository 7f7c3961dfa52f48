//! A page's connection to the cable, as bare as the protocol. The official client is tried against
//! the program in `web/e2e`.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::Duration};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

/// How long a message that must come may take. Not a measurement: only so that a broken server
/// fails a test instead of hanging it.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(20);

/// A WebSocket that speaks `actioncable-v1-json`.
pub struct Page(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Page {
    /// Opens a connection and takes whatever greeting comes.
    ///
    /// # Panics
    /// When there is no WebSocket.
    pub async fn connect(url: &str, token: Option<&str>) -> Self {
        Self::connect_with(url, token, &[])
            .await
            .expect("a WebSocket")
    }

    /// The same with headers; fails with the status of the answer when there is no upgrade.
    ///
    /// # Errors
    /// The status.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn connect_with(
        url: &str,
        token: Option<&str>,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let query = token
            .map(|token| format!("?token={token}"))
            .unwrap_or_default();
        let address = format!("{}/cable{query}", url.replacen("http", "ws", 1));
        let mut request = address.into_client_request().expect("an address");
        request.headers_mut().insert(
            "sec-websocket-protocol",
            "actioncable-v1-json, actioncable-unsupported"
                .parse()
                .unwrap(),
        );
        for (name, value) in headers {
            let value = value.parse().expect("a header's value");
            request.headers_mut().insert(*name, value);
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("no answer: {error}"),
        }
    }

    /// The next message that is not a ping; `None` when the connection is closed.
    ///
    /// # Panics
    /// When nothing comes.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(MESSAGE_TIMEOUT, self.0.next())
                .await
                .expect("a message comes in time");
            match message {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).expect("JSON");
                    if message["type"] != "ping" {
                        return Some(message);
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Subscribes and returns the identifier.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn subscribe(&mut self, channel: &str, params: Value) -> String {
        let mut identifier = params;
        identifier["channel"] = channel.into();
        let identifier = identifier.to_string();
        let command = json!({ "command": "subscribe", "identifier": identifier });
        self.0
            .send(Message::text(command.to_string()))
            .await
            .expect("sent");
        identifier
    }

    /// Ends a subscription.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn unsubscribe(&mut self, identifier: &str) {
        let command = json!({ "command": "unsubscribe", "identifier": identifier });
        let message = Message::text(command.to_string());
        self.0.send(message).await.expect("sent");
    }

    /// Subscribes to a sign-on and skips everything up to the confirmation.
    ///
    /// # Panics
    /// When the subscription is not confirmed.
    pub async fn watch(&mut self, verification_token: &str) {
        let params = json!({ "verification_token": verification_token });
        self.subscribe("FacialSignOnLoginChannel", params).await;
        self.confirmed().await;
    }

    /// Takes the confirmation and the message that goes with it.
    ///
    /// # Panics
    /// When something else comes.
    pub async fn confirmed(&mut self) {
        loop {
            let message = self.next().await.expect("still connected");
            match message["type"].as_str() {
                Some("welcome") => {}
                Some("confirm_subscription") => break,
                _ => panic!("not confirmed: {message}"),
            }
        }
        let told = self.message().await;
        assert_eq!(told["type"], "subscription_confirmed", "{told}");
    }

    /// Whether the subscription is refused.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn is_rejected(&mut self) -> bool {
        loop {
            let message = self.next().await.expect("still connected");
            match message["type"].as_str() {
                Some("welcome") => {}
                kind => return kind == Some("reject_subscription"),
            }
        }
    }

    /// The next message to a subscription.
    ///
    /// # Panics
    /// When something else comes.
    pub async fn message(&mut self) -> Value {
        let mut message = self.next().await.expect("still connected");
        assert!(message["identifier"].is_string(), "{message}");
        message["message"].take()
    }
}
