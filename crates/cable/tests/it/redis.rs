//! Several processes over a real Redis: the one at `AXIAM_TEST_REDIS_URL`, which may be shared;
//! every test has a prefix of its own. Without the variable the tests say so and do nothing. Those
//! in which Redis dies have one of their own.

mod proxy;
mod restart;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use cable::fanout::redis::{Redis, RedisOptions};
use cable::{Cable, Message, Opening, Options, Protocol};
use serde_json::{Value, json};

use crate::support::{App, Client, room};
use proxy::Proxy;

const FRAME_TIMEOUT: Duration = Duration::from_secs(20);

fn address() -> Option<String> {
    let address = std::env::var("AXIAM_TEST_REDIS_URL").ok();
    if address.is_none() {
        say("SKIPPED: AXIAM_TEST_REDIS_URL is not set");
    }
    address
}

/// Not through `eprintln!`, which the test harness would swallow.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Settings with a prefix that nobody else has.
fn fresh() -> RedisOptions {
    let random = uuid_like();
    RedisOptions {
        prefix: format!("cable-test-{random}"),
        ..RedisOptions::default()
    }
}

fn uuid_like() -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    format!("{:x}-{:x}", now.as_nanos(), std::process::id())
}

/// A process: a cable and its application.
async fn process(address: &str, options: &RedisOptions) -> (Cable, Arc<App>) {
    let redis = Redis::connect(address, options.clone()).await.unwrap();
    (
        Cable::with_fanout(Options::default(), redis),
        Arc::new(App::default()),
    )
}

async fn next(client: &Client) -> Value {
    let frame = async {
        loop {
            let frame = client.json().await;
            if frame["type"] != "ping" {
                return frame;
            }
        }
    };
    tokio::time::timeout(FRAME_TIMEOUT, frame)
        .await
        .expect("a frame comes")
}

/// The next two messages, the verdict last: what exists is sent again at a ping, which may come before
/// or after what was still in the log.
async fn next_two(client: &Client) -> [Value; 2] {
    let mut two = [next(client).await, next(client).await].map(|mut frame| frame["message"].take());
    two.sort_by_key(|message| (message == "verdict", message.to_string()));
    two
}

async fn expect_type(client: &Client, kind: &str) -> Value {
    let frame = next(client).await;
    assert_eq!(frame["type"], kind, "{frame}");
    frame
}

async fn follower(cable: &Cable, app: &Arc<App>, protocol: Protocol) -> Client {
    let client = Client::open(cable, app, "alice", Opening::new(protocol));
    expect_type(&client, "welcome").await;
    client.send("subscribe", &room("1"));
    expect_type(&client, "confirm_subscription").await;
    client
}

#[tokio::test]
async fn messages_reach_every_process_once_and_in_order() {
    let Some(address) = address() else { return };
    let options = fresh();
    let (here, app) = process(&address, &options).await;
    let (there, _) = process(&address, &options).await;
    let clients = [
        follower(&here, &app, Protocol::V1Json).await,
        follower(&there, &app, Protocol::V1ExtJson).await,
    ];
    for n in 0..100 {
        here.broadcast("room:1", json!(n));
    }
    for client in &clients {
        for n in 0..100 {
            assert_eq!(next(client).await["message"], json!(n));
        }
    }
    // Another cable in the same Redis hears nothing.
    let (stranger, _) = process(&address, &fresh()).await;
    let outsider = follower(&stranger, &app, Protocol::V1Json).await;
    here.broadcast("room:1", json!("private"));
    stranger.broadcast("room:1", json!("own"));
    assert_eq!(next(&outsider).await["message"], "own");
}

#[tokio::test]
async fn a_key_is_taken_once_by_all_processes() {
    let Some(address) = address() else { return };
    let options = fresh();
    let (here, app) = process(&address, &options).await;
    let (there, _) = process(&address, &options).await;
    let client = follower(&there, &app, Protocol::V1Json).await;
    let verdict = || Message::from(json!("verdict")).with_key("verdict");
    here.broadcast("room:1", verdict());
    there.broadcast("room:1", verdict());
    assert_eq!(next(&client).await["message"], "verdict");
    // Both have been written before these.
    here.broadcast("room:1", json!("here"));
    assert_eq!(next(&client).await["message"], "here");
    there.broadcast("room:1", json!("there"));
    assert_eq!(next(&client).await["message"], "there");
}

#[tokio::test]
async fn connections_are_ended_wherever_they_are() {
    let Some(address) = address() else { return };
    let options = fresh();
    let (here, _) = process(&address, &options).await;
    let (there, app) = process(&address, &options).await;
    let client = follower(&there, &app, Protocol::V1Json).await;
    here.disconnect("user:alice", false);
    let last_frame = json!({"type": "disconnect", "reason": "remote", "reconnect": false});
    assert_eq!(next(&client).await, last_frame);
}

#[tokio::test]
async fn a_session_is_resumed_by_another_process() {
    let Some(address) = address() else { return };
    let options = fresh();
    let (here, app) = process(&address, &options).await;
    let (there, _) = process(&address, &options).await;
    app.set("room:1", Message::from(json!("fact")).with_key("fact"));
    here.broadcast("room:1", Message::from(json!("fact")).with_key("fact"));

    let client = Client::open(&here, &app, "alice", Opening::new(Protocol::V1ExtJson));
    let sid = expect_type(&client, "welcome").await["sid"]
        .as_str()
        .unwrap()
        .to_owned();
    client.send("subscribe", &room("1"));
    expect_type(&client, "confirm_subscription").await;
    let told = next(&client).await;
    assert_eq!(told["message"], "fact");
    here.broadcast("room:1", json!("heard"));
    let heard = next(&client).await;
    assert_eq!(heard["message"], "heard");
    client.wire.cut();
    there.broadcast("room:1", json!("missed"));

    let opening = Opening::new(Protocol::V1ExtJson).resuming(sid);
    let again = Client::open(&there, &app, "alice", opening);
    let welcome = expect_type(&again, "welcome").await;
    assert_eq!(welcome["restored_ids"], json!([room("1")]));
    let streams = json!({"room:1": {"epoch": heard["epoch"], "offset": heard["offset"]}});
    let history =
        json!({"command": "history", "identifier": room("1"), "history": {"streams": streams}});
    // The publication may still be on its way; what is missed by the history comes live.
    again.wire.send(history.to_string());
    let mut rest = [next(&again).await, next(&again).await];
    rest.sort_by_key(|frame| frame["message"].is_null());
    assert_eq!(rest[0]["message"], "missed");
    assert_eq!(rest[1]["type"], "confirm_history");
    there.broadcast("room:1", json!("live"));
    assert_eq!(next(&again).await["message"], "live");
}

/// The connections to Redis break while messages are published and read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_connections_break() {
    let Some(address) = address() else { return };
    let options = fresh();
    let (first, second) = (Proxy::start(&address).await, Proxy::start(&address).await);
    let (here, app) = process(&first.address(&address), &options).await;
    let (there, _) = process(&second.address(&address), &options).await;
    let client = follower(&there, &app, Protocol::V1Json).await;
    for n in 0..300 {
        here.broadcast("room:1", json!(n));
        match n % 100 {
            30 => first.cut(),
            60 => second.cut(),
            _ => {}
        }
        if n % 10 == 0 {
            let echo = json!(n);
            here.broadcast("room:2", echo);
            tokio::task::yield_now().await;
        }
    }
    for n in 0..300 {
        assert_eq!(next(&client).await["message"], json!(n));
    }
}

/// A process was away for longer than the log is kept: what is still there is delivered, and what
/// exists is told again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_that_cannot_be_filled_is_told_again() {
    let Some(address) = address() else { return };
    let options = RedisOptions {
        log_ttl: Duration::from_millis(1),
        ..fresh()
    };
    let proxy = Proxy::start(&address).await;
    let (here, app) = process(&address, &options).await;
    let (there, _) = process(&proxy.address(&address), &options).await;
    let near = follower(&here, &app, Protocol::V1Json).await;
    let far = [
        follower(&there, &app, Protocol::V1Json).await,
        follower(&there, &app, Protocol::V1ExtJson).await,
    ];
    here.broadcast("room:1", json!("before"));
    for client in far.iter().chain([&near]) {
        assert_eq!(next(client).await["message"], "before");
    }
    proxy.refuse(true);
    proxy.cut();
    let verdict = || Message::from(json!("verdict")).with_key("verdict");
    app.set("room:1", verdict());
    here.broadcast("room:1", verdict());
    for n in 0..10 {
        // Written, so that the next one removes it from the log.
        next(&near).await;
        tokio::time::sleep(Duration::from_millis(3)).await;
        here.broadcast("room:1", json!(n));
    }
    assert_eq!(next(&near).await["message"], 9);
    proxy.refuse(false);
    for client in &far {
        assert_eq!(next_two(client).await, [json!(9), json!("verdict")]);
    }
    here.broadcast("room:1", json!("after"));
    for client in &far {
        assert_eq!(next(client).await["message"], "after");
    }
}

/// A client moves between processes while their connections to Redis break.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_moves_hears_everything_once() {
    const MESSAGES: u64 = 400;
    let Some(address) = address() else { return };
    let mut options = fresh();
    options.history.messages = 1000;
    let proxies = [Proxy::start(&address).await, Proxy::start(&address).await];
    let (first, app) = process(&proxies[0].address(&address), &options).await;
    let (second, _) = process(&proxies[1].address(&address), &options).await;
    let (publisher, _) = process(&address, &options).await;
    let publishing = async {
        for n in 0..MESSAGES {
            publisher.broadcast("room:1", json!(n));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let listening = async {
        let mut expected = 0;
        let mut history = json!({"since": 1});
        for turn in 0.. {
            let cable = [&first, &second][turn % 2];
            let client = Client::open(cable, &app, "alice", Opening::new(Protocol::V1ExtJson));
            let subscribe =
                json!({"command": "subscribe", "identifier": room("1"), "history": history});
            client.wire.send(subscribe.to_string());
            proxies[turn / 2 % 2].cut();
            let end = (expected + 30).min(MESSAGES);
            while expected < end {
                let frame = next(&client).await;
                assert_ne!(frame["type"], "reject_history");
                if frame["type"].is_null() {
                    assert_eq!(frame["message"], expected);
                    expected += 1;
                    let position = json!({"epoch": frame["epoch"], "offset": frame["offset"]});
                    history = json!({"streams": {"room:1": position}});
                }
            }
            client.wire.cut();
            if expected == MESSAGES {
                break;
            }
        }
    };
    tokio::join!(publishing, listening);
}

/// A client comes with a position to a process that has started since, and then to one that is not
/// as far as the client.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_process_knows_what_was_said() {
    let Some(address) = address() else { return };
    let options = fresh();
    let proxy = Proxy::start(&address).await;
    let (here, app) = process(&address, &options).await;
    let (late, _) = process(&proxy.address(&address), &options).await;
    let client = follower(&here, &app, Protocol::V1ExtJson).await;
    let mut heard = Vec::new();
    for n in 0..3 {
        here.broadcast("room:1", json!(n));
        heard.push(next(&client).await);
    }
    let ask = async |cable: &Cable, position: &Value| {
        let client = Client::open(cable, &app, "alice", Opening::new(Protocol::V1ExtJson));
        expect_type(&client, "welcome").await;
        let streams = json!({"room:1": {"epoch": position["epoch"], "offset": position["offset"]}});
        let subscribe = json!({"command": "subscribe", "identifier": room("1"),
            "history": {"streams": streams}});
        client.wire.send(subscribe.to_string());
        expect_type(&client, "confirm_subscription").await;
        client
    };
    let (new, _) = process(&address, &options).await;
    let client = ask(&new, &heard[0]).await;
    for n in [1, 2] {
        assert_eq!(next(&client).await, heard[n]);
    }
    expect_type(&client, "confirm_history").await;

    proxy.refuse(true);
    proxy.cut();
    here.broadcast("room:1", json!(3));
    let ahead = next(&client).await;
    let back = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        proxy.refuse(false);
    };
    let (client, ()) = tokio::join!(ask(&late, &ahead), back);
    expect_type(&client, "confirm_history").await;
    here.broadcast("room:1", json!(4));
    assert_eq!(next(&client).await["message"], 4);
}

#[tokio::test]
async fn going_down_carries_everything_first() {
    let Some(address) = address() else { return };
    let options = fresh();
    let (here, app) = process(&address, &options).await;
    let (there, _) = process(&address, &options).await;
    let client = follower(&there, &app, Protocol::V1Json).await;
    for n in 0..50 {
        here.broadcast("room:1", json!(n));
    }
    here.drain(Duration::ZERO).await;
    drop(here);
    for n in 0..50 {
        assert_eq!(next(&client).await["message"], json!(n));
    }
}

#[tokio::test]
async fn a_wrong_address_is_an_error() {
    assert!(Redis::connect("nonsense", fresh()).await.is_err());
    assert!(
        Redis::connect("redis://127.0.0.1:1", fresh())
            .await
            .is_err()
    );
}
