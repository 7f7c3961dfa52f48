//! The cable behind axum on a loopback port.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::any;
use cable::{Cable, Disconnect, Handshake};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Response as WsResponse;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::app::{App, User};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Lives as long as the runtime of the test.
pub(crate) struct Server {
    address: std::net::SocketAddr,
}

#[derive(Deserialize)]
struct Params {
    user: Option<String>,
}

async fn connect(
    State((cable, app)): State<(Cable, Arc<App>)>,
    Query(params): Query<Params>,
    handshake: Handshake,
) -> Response {
    match params
        .user
        .or_else(|| handshake.token().map(ToOwned::to_owned))
    {
        Some(name) => {
            let here = std::net::Ipv4Addr::LOCALHOST.into();
            handshake.from_peer(here).accept(&cable, app, User { name })
        }
        None => handshake.refuse(&cable, Disconnect::unauthorized()),
    }
}

impl Server {
    pub(crate) async fn start(cable: Cable, app: Arc<App>) -> Self {
        let router = Router::new()
            .route("/cable", any(connect))
            .with_state((cable, app));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address }
    }

    /// Connects with these subprotocols.
    pub(crate) async fn connect(
        &self,
        path: &str,
        protocols: Option<&str>,
    ) -> Result<(Socket, WsResponse), Error> {
        self.connect_with(path, protocols, None).await
    }

    /// The same with one more header.
    pub(crate) async fn connect_with(
        &self,
        path: &str,
        protocols: Option<&str>,
        header: Option<(&'static str, String)>,
    ) -> Result<(Socket, WsResponse), Error> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request()?;
        if let Some(protocols) = protocols {
            request
                .headers_mut()
                .insert("sec-websocket-protocol", protocols.parse().unwrap());
        }
        if let Some((name, value)) = header {
            let name = axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        connect_async(request).await
    }

    /// The status of a plain HTTP request.
    pub(crate) async fn get(&self, path: &str) -> u16 {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response.split(' ').nth(1).unwrap().parse().unwrap()
    }
}
