//! The promises of a session, with time paused: order, exactly once, bounds, pings, farewells.

use std::sync::Arc;
use std::time::Duration;

use cable::{Cable, Incoming, Message, Opening, Options, Outgoing, Protocol};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{App, Client, START, options, room, settle};

fn setup(app: App) -> (Cable, Arc<App>) {
    (Cable::new(options()), Arc::new(app))
}

fn verdict() -> Message {
    Message::from(json!("verdict")).with_key("verdict")
}

/// A verdict is stored and then broadcast. Wherever the subscription falls between these, the
/// page hears it once.
#[tokio::test(start_paused = true)]
async fn a_verdict_arrives_once_whenever_it_is_made() {
    const STEPS: usize = 7;
    for store_at in 0..STEPS {
        for broadcast_at in store_at..STEPS {
            let (cable, app) = setup(App::gated());
            let alice = Client::welcomed(&cable, &app, "alice").await;
            for step in 0..STEPS {
                if step == store_at {
                    app.set("room:1", verdict());
                }
                if step == broadcast_at {
                    cable.broadcast("room:1", verdict());
                }
                match step {
                    1 => alice.send("subscribe", &room("1")),
                    // 2: `subscribe` waits, 3: `confirmed` has looked and waits.
                    2 | 3 => app.gate.add_permits(1),
                    _ => {}
                }
                settle().await;
            }
            let gists = alice.gists().await;
            let expected = [json!("confirm_subscription"), json!("verdict")];
            assert_eq!(
                gists, expected,
                "stored at {store_at}, broadcast at {broadcast_at}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn existing_state_comes_before_what_happened_meanwhile() {
    let (cable, app) = setup(App::gated());
    app.set("room:1", Message::from(json!("state")));
    let alice = Client::welcomed(&cable, &app, "alice").await;
    alice.send("subscribe", &room("1"));
    app.gate.add_permits(1);
    settle().await;
    for n in 0..3 {
        cable.broadcast("room:1", json!(n));
        settle().await;
    }
    app.gate.add_permits(1);
    let expected = [
        json!("confirm_subscription"),
        json!("state"),
        json!(0),
        json!(1),
        json!(2),
    ];
    assert_eq!(alice.gists().await, expected);
}

/// What is both found and broadcast meanwhile keeps its place in the stream.
#[tokio::test(start_paused = true)]
async fn a_fact_known_twice_comes_in_the_order_of_its_stream() {
    let (cable, app) = setup(App::gated());
    app.set("room:1", verdict());
    let alice = Client::welcomed(&cable, &app, "alice").await;
    alice.send("subscribe", &room("1"));
    app.gate.add_permits(1);
    settle().await;
    cable.broadcast("room:1", json!("scanning"));
    cable.broadcast("room:1", verdict());
    app.gate.add_permits(1);
    let expected = [
        json!("confirm_subscription"),
        json!("scanning"),
        json!("verdict"),
    ];
    assert_eq!(alice.gists().await, expected);
}

#[tokio::test(start_paused = true)]
async fn keys_are_told_apart_and_per_subscription() {
    let (cable, app) = setup(App::default());
    let alice = Client::welcomed(&cable, &app, "alice").await;
    alice.send("subscribe", &room("1"));
    alice.send("subscribe", &room("2"));
    settle().await;
    for (stream, key) in [
        ("room:1", "a"),
        ("room:1", "b"),
        ("room:1", "a"),
        ("room:2", "a"),
    ] {
        cable.broadcast(stream, Message::from(json!([stream, key])).with_key(key));
    }
    let expected = [
        json!("confirm_subscription"),
        json!("confirm_subscription"),
        json!(["room:1", "a"]),
        json!(["room:1", "b"]),
        json!(["room:2", "a"]),
    ];
    assert_eq!(alice.gists().await, expected);
}

#[tokio::test(start_paused = true)]
async fn pings_come_every_three_seconds_from_the_connection_on() {
    let (cable, app) = setup(App::default());
    let start = Instant::now();
    let alice = Client::welcomed(&cable, &app, "alice").await;
    tokio::time::sleep(Duration::from_millis(1_450)).await;
    let bob = Client::welcomed(&cable, &app, "bob").await;
    let at = |client: Client, skip: u32| async move {
        for round in 1..=3 {
            let ping = client.json().await;
            assert_eq!(ping["type"], "ping");
            let elapsed = start.elapsed();
            let due = Duration::from_secs(3) * round + Duration::from_millis(1_500) * skip;
            assert!(
                elapsed.abs_diff(due) <= Duration::from_millis(150),
                "{elapsed:?} {due:?}"
            );
            assert_eq!(ping["message"], START + elapsed.as_secs());
        }
    };
    tokio::join!(at(alice, 0), at(bob, 1));
}

#[tokio::test(start_paused = true)]
async fn pings_do_not_wait_for_the_application() {
    let (cable, app) = setup(App::gated());
    let alice = Client::welcomed(&cable, &app, "alice").await;
    alice.send("subscribe", &room("1"));
    assert_eq!(alice.gist().await, "ping");
    assert_eq!(alice.gist().await, "ping");
    app.gate.add_permits(2);
    assert_eq!(alice.gist().await, "confirm_subscription");
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_dropped_and_does_not_delay_others() {
    let options = Options {
        queue_messages: 8,
        ..options()
    };
    let (cable, app) = (Cable::new(options), Arc::new(App::default()));
    let slow = Client::welcomed(&cable, &app, "slow").await;
    let quick = Client::welcomed(&cable, &app, "quick").await;
    for client in [&slow, &quick] {
        client.send("subscribe", &room("1"));
        assert_eq!(client.gist().await, "confirm_subscription");
    }
    // The socket takes 32 frames, the session holds a batch, the mailbox 8; then it is too much.
    for n in 0..100 {
        cable.broadcast("room:1", json!(n));
        assert_eq!(quick.gist().await, json!(n));
        settle().await;
    }
    assert_eq!(cable.stats().slow_readers, 1);
    tokio::time::sleep(Options::default().close_timeout).await;
    assert!(slow.session.is_finished());
    assert_eq!(cable.stats().connections, 1);
    assert_eq!(app.present.load(std::sync::atomic::Ordering::SeqCst), 1);
}

/// One that is only a little too slow still hears why.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_hears_the_reason_if_it_can() {
    let options = Options {
        queue_messages: 8,
        ..options()
    };
    let (cable, app) = (Cable::new(options), Arc::new(App::default()));
    let alice = Client::welcomed(&cable, &app, "alice").await;
    alice.send("subscribe", &room("1"));
    assert_eq!(alice.gist().await, "confirm_subscription");
    for n in 0..9 {
        cable.broadcast("room:1", json!(n));
    }
    let last_frame = json!({"type": "disconnect", "reason": "too_slow", "reconnect": true});
    assert_eq!(alice.json().await, last_frame);
    assert!(matches!(
        alice.wire.recv().await,
        Some(Outgoing::Close { code: 1000, .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_too_large_ends_the_connection() {
    let (cable, app) = setup(App::default());
    let alice = Client::welcomed(&cable, &app, "alice").await;
    alice
        .wire
        .send(vec![b' '; cable.options().max_frame_bytes + 1]);
    let last_frame = json!({"type": "disconnect", "reason": "invalid_request", "reconnect": false});
    assert_eq!(alice.json().await, last_frame);
    assert!(matches!(
        alice.wire.recv().await,
        Some(Outgoing::Close { code: 1009, .. })
    ));
    alice.wire.send_frame(Incoming::Close);
    alice.session.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_limited_per_connection() {
    let options = Options {
        max_subscriptions: 2,
        ..options()
    };
    let (cable, app) = (Cable::new(options), Arc::new(App::default()));
    let alice = Client::welcomed(&cable, &app, "alice").await;
    for id in ["1", "2", "3"] {
        alice.send("subscribe", &room(id));
    }
    alice.send("unsubscribe", &room("1"));
    alice.send("subscribe", &room("3"));
    let expected = [
        "confirm_subscription",
        "confirm_subscription",
        "reject_subscription",
        "confirm_subscription",
    ];
    assert_eq!(alice.gists().await, expected.map(Value::from));
    assert_eq!(cable.stats().subscriptions, 2);
}

#[tokio::test(start_paused = true)]
async fn questions_are_limited_to_a_pace() {
    let options = Options {
        ask_burst: 3,
        ask_every: Duration::from_secs(10),
        ..options()
    };
    let (cable, app) = (Cable::new(options), Arc::new(App::default()));
    let opening = Opening::new(Protocol::V1ExtJson);
    let alice = Client::open(&cable, &app, "alice", opening);
    assert_eq!(alice.json().await["type"], "welcome");
    for id in ["1", "2", "2", "3"] {
        // A repeated subscription is no question.
        alice.send("subscribe", &room(id));
    }
    alice.send("history", &room("1"));
    alice.send("unsubscribe", &room("3"));
    let expected = [
        "confirm_subscription",
        "confirm_subscription",
        "confirm_subscription",
        "reject_history",
    ];
    assert_eq!(alice.gists().await, expected.map(Value::from));
    tokio::time::sleep(Duration::from_secs(10)).await;
    alice.send("subscribe", &room("4"));
    let gists = alice.gists().await;
    assert_eq!(gists.last(), Some(&json!("confirm_subscription")));
    // A limit is no answer about the subscription: the client is to ask again later.
    alice.send("subscribe", &room("5"));
    let last_frame = json!({"type": "disconnect", "reason": "rate_limited", "reconnect": true});
    assert_eq!(alice.json().await, last_frame);
    let stats = cable.stats();
    assert_eq!(
        (stats.limited, stats.rejected, stats.history_misses),
        (2, 0, 1)
    );
}

/// A right that ends while the connection is open ends the connection: at the next command, and at
/// the next ping where there is none.
#[tokio::test(start_paused = true)]
async fn a_connection_ends_with_its_right() {
    for speaks in [true, false] {
        let (cable, app) = setup(App::default());
        let alice = Client::welcomed(&cable, &app, "alice").await;
        let bob = Client::welcomed(&cable, &app, "bob").await;
        app.expired.lock().unwrap().push("alice".into());
        let start = Instant::now();
        if speaks {
            alice.send("subscribe", &room("1"));
        }
        let last_frame =
            json!({"type": "disconnect", "reason": "token_expired", "reconnect": false});
        assert_eq!(alice.json().await, last_frame);
        assert_eq!(start.elapsed() < Duration::from_secs(1), speaks);
        assert!(start.elapsed() < Duration::from_secs(4));
        bob.send("subscribe", &room("1"));
        while bob.gist().await != "confirm_subscription" {}
    }
}

/// An application that cannot say what exists ends the connection, and leaves nothing behind.
#[tokio::test(start_paused = true)]
async fn a_connection_ends_when_the_application_cannot_answer() {
    let (cable, app) = setup(App::default());
    *app.ended.lock().unwrap() = Some(cable::Disconnect::unavailable());
    let alice = Client::welcomed(&cable, &app, "alice").await;
    alice.send("subscribe", &room("1"));
    let last_frame = json!({"type": "disconnect", "reason": "unavailable", "reconnect": true});
    assert_eq!(alice.json().await, last_frame);
    alice.wire.send_frame(Incoming::Close);
    alice.session.await.unwrap();
    assert_eq!(app.present.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert_eq!(cable.stats().streams, 0);
}

/// The latency is that of the whole way, with the time that the client took to read.
#[tokio::test(start_paused = true)]
async fn latencies_are_measured_from_broadcast_to_written() {
    let (cable, app) = setup(App::default());
    let alice = Client::welcomed(&cable, &app, "alice").await;
    alice.send("subscribe", &room("1"));
    assert_eq!(alice.gist().await, "confirm_subscription");
    cable.broadcast("room:1", json!("quick"));
    assert_eq!(alice.gist().await, "quick");
    // 33 frames are one more than fit.
    for n in 0..33 {
        cable.broadcast("room:1", json!(n));
    }
    tokio::time::sleep(Duration::from_millis(40)).await;
    assert_eq!(cable.stats().latency.count(), 1, "not all are written");
    assert_eq!(alice.gist().await, 0);
    settle().await;
    let latency = cable.stats().latency;
    assert_eq!(latency.count(), 34);
    assert_eq!(latency.below(0.01), Some(Duration::from_micros(250)));
    assert_eq!(latency.below(1.0), Some(Duration::from_millis(50)));
}

#[tokio::test(start_paused = true)]
async fn an_application_can_end_connections_by_tag() {
    let (cable, app) = setup(App::default());
    let alice = Client::welcomed(&cable, &app, "alice").await;
    let bob = Client::welcomed(&cable, &app, "bob").await;
    cable.disconnect("user:alice", false);
    let last_frame = json!({"type": "disconnect", "reason": "remote", "reconnect": false});
    assert_eq!(alice.json().await, last_frame);
    assert!(bob.gists().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn draining_is_spread_and_refuses_newcomers() {
    let (cable, app) = setup(App::default());
    let mut clients = Vec::new();
    for n in 0..20 {
        clients.push(Client::welcomed(&cable, &app, &n.to_string()).await);
    }
    let start = Instant::now();
    let drain = tokio::spawn({
        let cable = cable.clone();
        async move { cable.drain(Duration::from_secs(2)).await }
    });
    settle().await;
    let late = Client::connect(&cable, &app, "late");
    let mut times = Vec::new();
    for client in clients.iter().chain([&late]) {
        let mut last_frame = client.json().await;
        while last_frame["type"] != "disconnect" {
            last_frame = client.json().await;
        }
        assert_eq!(last_frame["reason"], "server_restart");
        assert_eq!(last_frame["reconnect"], true);
        times.push(start.elapsed());
        client.wire.send_frame(Incoming::Close);
    }
    drain.await.unwrap();
    assert!(times[0] < Duration::from_millis(200));
    assert!(
        times[19] - times[0] > Duration::from_millis(800),
        "{times:?}"
    );
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(cable.stats().connections, 0);
}

/// The application is told of every end, also of subscriptions that were in the making.
#[tokio::test(start_paused = true)]
async fn a_client_that_vanishes_leaves_nothing() {
    let (cable, app) = setup(App::gated());
    let alice = Client::welcomed(&cable, &app, "alice").await;
    app.gate.add_permits(2);
    alice.send("subscribe", &room("1"));
    assert_eq!(alice.gist().await, "confirm_subscription");
    alice.send("subscribe", &room("2"));
    app.gate.add_permits(1);
    settle().await;
    assert_eq!(cable.stats().streams, 2);
    alice.wire.cut();
    settle().await;
    assert_eq!(cable.stats().connections, 0);
    app.gate.add_permits(1);
    alice.session.await.unwrap();
    let stats = cable.stats();
    assert_eq!((stats.streams, stats.subscriptions), (0, 0));
    assert_eq!(app.present.load(std::sync::atomic::Ordering::SeqCst), 0);
}
