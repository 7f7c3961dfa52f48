//! Whatever a client sends, in whatever order: no panic, and nothing is left when it is gone.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use bytes::Bytes;
use cable::{Cable, Incoming, Message, Opening, Protocol};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{App, Client, options, paused, settle};

#[derive(Clone, Debug)]
enum Step {
    Frame(Bytes),
    Binary,
    Broadcast(u8, Option<u8>),
    Permits(u8),
    Read,
    Settle,
}

fn identifier() -> impl Strategy<Value = Value> {
    let room = (0..3u8).prop_map(|n| json!(format!(r#"{{"channel":"Room","id":"{n}"}}"#)));
    let rooms = proptest::collection::vec(0..4u8, 0..4).prop_map(|ids| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        json!(json!({"channel": "Rooms", "ids": ids}).to_string())
    });
    prop_oneof![
        6 => room,
        2 => rooms,
        1 => Just(json!(r#"{"channel":"Nowhere"}"#)),
        1 => any::<String>().prop_map(Value::from),
        1 => prop_oneof![Just(Value::Null), Just(json!(7)), Just(json!({"channel": "Room"}))],
    ]
}

fn history() -> impl Strategy<Value = Value> {
    let stream = (0..4u8, any::<u64>(), "[a-z]{0,3}");
    prop_oneof![
        Just(json!({"since": 1_700_000_000})),
        any::<f64>().prop_map(|since| json!({"since": since})),
        stream.prop_map(|(n, offset, epoch)| {
            json!({"streams": {format!("room:{n}"): {"epoch": epoch, "offset": offset}}})
        }),
        Just(json!("soon")),
    ]
}

fn frame() -> impl Strategy<Value = Vec<u8>> {
    let command = prop_oneof![
        5 => Just("subscribe"), 3 => Just("unsubscribe"), 2 => Just("message"),
        2 => Just("history"), 1 => Just("pong"), 1 => Just("whisper"),
    ];
    let parts = (
        command,
        identifier(),
        proptest::option::of(history()),
        any::<Option<bool>>(),
    );
    let proper = parts.prop_map(|(command, identifier, history, data)| {
        let mut frame = json!({"command": command, "identifier": identifier});
        if let Some(history) = history {
            frame["history"] = history;
        }
        frame["data"] = match data {
            Some(true) => json!(r#"{"action":"x"}"#),
            Some(false) => json!("{"),
            None => Value::Null,
        };
        frame.to_string().into_bytes()
    });
    // Proper frames with one byte changed are the best nonsense.
    let bent = (frame_source(), any::<prop::sample::Index>(), any::<u8>()).prop_map(
        |(mut frame, at, byte)| {
            let at = at.index(frame.len());
            frame[at] = byte;
            frame
        },
    );
    prop_oneof![8 => proper, 2 => bent, 1 => any::<Vec<u8>>()]
}

fn frame_source() -> impl Strategy<Value = Vec<u8>> {
    identifier().prop_map(|identifier| {
        json!({"command": "subscribe", "identifier": identifier})
            .to_string()
            .into_bytes()
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => frame().prop_map(|frame| Step::Frame(frame.into())),
        1 => Just(Step::Binary),
        3 => (0..4u8, proptest::option::of(0..3u8)).prop_map(|(n, key)| Step::Broadcast(n, key)),
        3 => (0..4u8).prop_map(Step::Permits),
        3 => Just(Step::Read),
        3 => Just(Step::Settle),
    ]
}

async fn play(steps: Vec<Step>, protocol: Protocol, polite: bool) {
    let cable = Cable::new(options());
    let app = Arc::new(App::gated());
    let client = Client::open(&cable, &app, "alice", Opening::new(protocol));
    for step in steps {
        match step {
            Step::Frame(bytes) => client.wire.send(bytes),
            Step::Binary => client.wire.send_frame(Incoming::Binary),
            Step::Broadcast(room, key) => {
                let message = Message::from(json!({"to": room}));
                let message = match key {
                    Some(key) => message.with_key(key.to_string()),
                    None => message,
                };
                cable.broadcast(&format!("room:{room}"), message);
            }
            Step::Permits(n) => app.gate.add_permits(n.into()),
            Step::Read if client.wire.has_frame() => drop(client.json().await),
            Step::Read => {}
            Step::Settle => settle().await,
        }
    }
    if polite {
        client.wire.send_frame(Incoming::Close);
    } else {
        client.wire.cut();
    }
    app.gate.add_permits(1000);
    client.session.await.expect("the session does not panic");
    let stats = cable.stats();
    assert_eq!(
        (stats.connections, stats.subscriptions, stats.streams),
        (0, 0, 0)
    );
    assert_eq!(
        app.present.load(SeqCst),
        0,
        "the application was told of every end"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_input_panics_or_leaks(
        steps in proptest::collection::vec(step(), 0..60),
        extended in any::<bool>(),
        polite in any::<bool>(),
    ) {
        let protocol = if extended { Protocol::V1ExtJson } else { Protocol::V1Json };
        paused().block_on(play(steps, protocol, polite));
    }
}
