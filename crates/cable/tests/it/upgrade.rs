//! The way in through axum, with a real WebSocket client.

use std::sync::Arc;
use std::time::Duration;

use cable::{Cable, Options};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message as WsMessage};

use crate::support::{App, Server, Socket, room};

async fn server(options: Options) -> (Server, Cable) {
    let cable = Cable::new(options);
    (
        Server::start(cable.clone(), Arc::new(App::default())).await,
        cable,
    )
}

async fn json(socket: &mut Socket) -> Value {
    match socket.next().await {
        Some(Ok(WsMessage::Text(text))) => serde_json::from_str(&text).unwrap(),
        other => panic!("expected JSON, got {other:?}"),
    }
}

/// As Rails: the first of the client's offers that is known; none known, no header.
#[tokio::test]
async fn the_subprotocol_is_agreed_on() {
    let (server, _) = server(Options::default()).await;
    let offers = [
        (
            "actioncable-v1-json, actioncable-unsupported",
            Some("actioncable-v1-json"),
        ),
        (
            "actioncable-v1-ext-json, actioncable-v1-json",
            Some("actioncable-v1-ext-json"),
        ),
        ("actioncable-unsupported", Some("actioncable-unsupported")),
    ];
    for (offer, expected) in offers {
        let (mut socket, response) = server
            .connect("/cable?user=alice", Some(offer))
            .await
            .unwrap();
        let chosen = response.headers().get("sec-websocket-protocol");
        assert_eq!(chosen.map(|value| value.to_str().unwrap()), expected);
        assert_eq!(json(&mut socket).await["type"], "welcome");
    }
    let (mut socket, response) = server.connect("/cable?user=alice", None).await.unwrap();
    assert!(response.headers().get("sec-websocket-protocol").is_none());
    assert_eq!(json(&mut socket).await["type"], "welcome");
}

#[tokio::test]
async fn a_token_may_come_as_a_subprotocol() {
    let (server, cable) = server(Options::default()).await;
    let offer = "actioncable-v1-json, anycable-token.alice";
    let (mut socket, response) = server.connect("/cable", Some(offer)).await.unwrap();
    assert_eq!(
        response.headers()["sec-websocket-protocol"],
        "actioncable-v1-json"
    );
    assert_eq!(json(&mut socket).await, json!({"type": "welcome"}));
    cable.disconnect("user:alice", true);
    assert_eq!(json(&mut socket).await["reason"], "remote");
}

#[tokio::test]
async fn the_unauthorized_are_told_so() {
    let (server, _) = server(Options::default()).await;
    let (mut socket, _) = server
        .connect("/cable", Some("actioncable-v1-json"))
        .await
        .unwrap();
    let last_frame = json!({"type": "disconnect", "reason": "unauthorized", "reconnect": false});
    assert_eq!(json(&mut socket).await, last_frame);
    assert!(matches!(
        socket.next().await,
        Some(Ok(WsMessage::Close(Some(_))))
    ));
}

#[tokio::test]
async fn a_plain_request_is_no_connection() {
    let (server, _) = server(Options::default()).await;
    let status = server.get("/cable?user=alice").await;
    assert_eq!(status, 426);
}

#[tokio::test]
async fn while_draining_the_answer_is_503() {
    let (server, cable) = server(Options::default()).await;
    let (mut socket, _) = server.connect("/cable?user=alice", None).await.unwrap();
    assert_eq!(json(&mut socket).await["type"], "welcome");
    let drain = tokio::spawn({
        let cable = cable.clone();
        async move { cable.drain(Duration::from_millis(10)).await }
    });
    assert_eq!(json(&mut socket).await["reason"], "server_restart");
    match server.connect("/cable?user=bob", None).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 503),
        other => panic!("{:?}", other.map(|_| ())),
    }
    while socket.next().await.is_some() {}
    drain.await.unwrap();
}

#[tokio::test]
async fn connections_are_limited_in_all_and_per_address() {
    for (options, status) in [
        (
            Options {
                max_connections: 1,
                ..Options::default()
            },
            503,
        ),
        (
            Options {
                max_connections_per_peer: 1,
                ..Options::default()
            },
            429,
        ),
    ] {
        let (server, cable) = server(options).await;
        let (mut socket, _) = server.connect("/cable?user=alice", None).await.unwrap();
        assert_eq!(json(&mut socket).await["type"], "welcome");
        match server.connect("/cable?user=bob", None).await {
            Err(Error::Http(response)) => {
                assert_eq!(response.status(), status);
                assert_eq!(response.headers()["retry-after"], "1");
            }
            other => panic!("{:?}", other.map(|_| ())),
        }
        assert_eq!(cable.stats().refused, 1);
        socket.close(None).await.unwrap();
        while socket.next().await.is_some() {}
        // The place is given back when the server has closed its end too.
        while cable.stats().connections > 0 {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        let (mut socket, _) = server.connect("/cable?user=bob", None).await.unwrap();
        assert_eq!(json(&mut socket).await["type"], "welcome");
    }
}

/// Of whatever size, in one frame or several: the client hears why, and with which code.
#[tokio::test]
async fn frames_are_limited() {
    let (server, cable) = server(Options {
        max_frame_bytes: 1000,
        ..Options::default()
    })
    .await;
    let text = |size: usize| vec![WsMessage::text(" ".repeat(size))];
    let part = |code: OpCode, last| WsMessage::Frame(Frame::message(vec![b' '; 600], code, last));
    let parts = vec![
        part(OpCode::Data(Data::Text), false),
        part(OpCode::Data(Data::Continue), true),
    ];
    let attempts = [
        text(1001),
        text(4001),
        text(100_000),
        text(8_000_000),
        parts,
    ];
    for frames in attempts {
        let (mut socket, _) = server.connect("/cable?user=alice", None).await.unwrap();
        assert_eq!(json(&mut socket).await["type"], "welcome");
        for frame in frames {
            socket.send(frame).await.unwrap();
        }
        let last = json!({"type": "disconnect", "reason": "invalid_request", "reconnect": false});
        assert_eq!(json(&mut socket).await, last);
        match socket.next().await {
            Some(Ok(WsMessage::Close(Some(close)))) => assert_eq!(u16::from(close.code), 1009),
            other => panic!("{other:?}"),
        }
        // Nothing but the end: no reset.
        assert!(matches!(
            socket.next().await,
            None | Some(Err(Error::ConnectionClosed))
        ));
    }
    assert_eq!(cable.stats().malformed, 0);
    assert_eq!(cable.stats().oversized, 5);
}

/// AnyCable's clients name the session to resume in the query or, where they can, in a header.
#[tokio::test]
async fn a_session_is_resumed_by_header_and_by_query() {
    let (server, _) = server(Options::default()).await;
    for by_header in [true, false] {
        let offer = Some("actioncable-v1-ext-json");
        let (mut socket, _) = server.connect("/cable?user=alice", offer).await.unwrap();
        let sid = json(&mut socket).await["sid"].as_str().unwrap().to_owned();
        let subscribe = json!({"command": "subscribe", "identifier": room("1")});
        socket
            .send(WsMessage::text(subscribe.to_string()))
            .await
            .unwrap();
        assert_eq!(json(&mut socket).await["type"], "confirm_subscription");
        drop(socket);
        let (path, header) = match by_header {
            true => ("/cable?user=alice&sid=unknown".to_owned(), Some(sid)),
            false => (format!("/cable?user=alice&sid={sid}"), None),
        };
        let headers = header.map(|sid| ("X-ANYCABLE-RESTORE-SID", sid));
        let (mut socket, _) = server.connect_with(&path, offer, headers).await.unwrap();
        let welcome = json(&mut socket).await;
        assert_eq!(welcome["restored_ids"], json!([room("1")]), "{welcome}");
    }
}

/// A client that closes gets its close frame back (code 1000, not 1006).
#[tokio::test]
async fn closing_is_answered() {
    let (server, cable) = server(Options::default()).await;
    let (mut socket, _) = server.connect("/cable?user=alice", None).await.unwrap();
    let subscribe = json!({"command": "subscribe", "identifier": room("1")});
    socket
        .send(WsMessage::text(subscribe.to_string()))
        .await
        .unwrap();
    assert_eq!(json(&mut socket).await["type"], "welcome");
    assert_eq!(json(&mut socket).await["type"], "confirm_subscription");
    socket.close(None).await.unwrap();
    let mut last = socket.next().await;
    // Behind the confirmation the server asks whether it has arrived.
    while let Some(Ok(WsMessage::Ping(_))) = last {
        last = socket.next().await;
    }
    assert!(matches!(last, Some(Ok(WsMessage::Close(_)))), "{last:?}");
    assert!(socket.next().await.is_none());
    assert_eq!(cable.stats().subscriptions, 0);
}
