//! A Redis that dies, in the hands of the test: killed without warning, started anew, empty or with
//! what it had.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cable::fanout::redis::{Redis, RedisOptions};
use cable::{Cable, Message, Opening, Options, Protocol};
use serde_json::json;
use tempfile::TempDir;

use super::{expect_type, follower, fresh, next, next_two, say};
use crate::support::{App, Client, room};

/// A Redis of the test's own.
struct Mortal {
    child: Child,
    port: u16,
    folder: TempDir,
    remembers: bool,
}

impl Mortal {
    /// `None`, said aloud, where there is no `redis-server`.
    async fn start() -> Option<Self> {
        Self::start_that(false).await
    }

    /// One that remembers finds what it had when it starts anew.
    async fn start_that(remembers: bool) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        match spawn(port, &folder, remembers) {
            Ok(child) => {
                let redis = Self {
                    child,
                    port,
                    folder,
                    remembers,
                };
                redis.answers().await;
                Some(redis)
            }
            Err(error) => {
                say(&format!(
                    "SKIPPED: redis-server cannot be started ({error})"
                ));
                None
            }
        }
    }

    fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    async fn answers(&self) {
        let client = redis::Client::open(self.address()).unwrap();
        for _ in 0..500 {
            if client.get_multiplexed_async_connection().await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("Redis does not answer");
    }

    /// As `kill -9`.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn start_anew(&mut self) {
        self.child = spawn(self.port, &self.folder, self.remembers).unwrap();
        self.answers().await;
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(port: u16, folder: &TempDir, remembers: bool) -> std::io::Result<Child> {
    let journal = if remembers { "yes" } else { "no" };
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", journal])
        .args(["--appendfsync", "always", "--dir"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn()
}

/// A process whose rounds of pings are short.
async fn process(address: &str, options: &RedisOptions) -> (Cable, Arc<App>) {
    let redis = Redis::connect(address, options.clone()).await.unwrap();
    let options = Options {
        ping_interval: Duration::from_millis(300),
        ..Options::default()
    };
    (Cable::with_fanout(options, redis), Arc::new(App::default()))
}

fn verdict() -> Message {
    Message::from(json!("verdict")).with_key("verdict")
}

/// What is broadcast while Redis is away arrives when it is back, in order and once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_redis_is_away() {
    for remembers in [false, true] {
        if let Some(redis) = Mortal::start_that(remembers).await {
            publish_while_away(redis).await;
        }
    }
}

async fn publish_while_away(mut redis: Mortal) {
    let options = fresh();
    let (here, app) = process(&redis.address(), &options).await;
    let (there, _) = process(&redis.address(), &options).await;
    let clients = [
        follower(&here, &app, Protocol::V1Json).await,
        follower(&there, &app, Protocol::V1ExtJson).await,
    ];
    for n in 0..150 {
        if n == 50 {
            for client in &clients {
                for n in 0..50 {
                    assert_eq!(next(client).await["message"], json!(n));
                }
            }
            redis.kill();
        }
        if n == 100 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            redis.start_anew().await;
        }
        here.broadcast("room:1", json!(n));
    }
    for client in &clients {
        for n in 50..150 {
            assert_eq!(next(client).await["message"], json!(n));
        }
    }
    here.broadcast("room:1", json!("after"));
    for client in &clients {
        assert_eq!(next(client).await["message"], "after");
    }
    assert!(there.stats().reconnections > 0);
    assert_eq!(here.stats().lost, 0);
}

/// A verdict is stored and published, and Redis dies before the other process has read it. The
/// page hears it all the same, from what exists, and once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fact_that_redis_forgot_is_told_again() {
    let Some(mut redis) = Mortal::start().await else {
        return;
    };
    let options = fresh();
    let (cable, app) = process(&redis.address(), &options).await;
    let mut clients = Vec::new();
    for protocol in [Protocol::V1Json, Protocol::V1ExtJson] {
        clients.push(follower(&cable, &app, protocol).await);
    }
    // Nobody follows it and nothing of it has a key, so it is told to nobody.
    app.set("room:2", Message::from(json!("other")));
    redis.kill();
    app.set("room:1", verdict());
    redis.start_anew().await;
    for client in &clients {
        assert_eq!(next(client).await["message"], "verdict");
    }
    // Once more, and the broadcast that was thought lost: it is known already.
    redis.kill();
    redis.start_anew().await;
    cable.broadcast("room:1", verdict());
    tokio::time::sleep(Duration::from_secs(2)).await;
    cable.broadcast("room:1", json!("after"));
    for client in &clients {
        assert_eq!(next(client).await["message"], "after");
    }
}

/// A client comes back with the position it had in the life of a Redis that is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_in_another_life_is_refused_and_what_exists_is_told() {
    let Some(mut redis) = Mortal::start().await else {
        return;
    };
    let options = fresh();
    let (cable, app) = process(&redis.address(), &options).await;
    let client = Client::open(&cable, &app, "alice", Opening::new(Protocol::V1ExtJson));
    let sid = expect_type(&client, "welcome").await["sid"].clone();
    client.send("subscribe", &room("1"));
    expect_type(&client, "confirm_subscription").await;
    cable.broadcast("room:1", json!("heard"));
    let heard = next(&client).await;
    client.wire.cut();
    redis.kill();
    app.set("room:1", verdict());
    redis.start_anew().await;
    cable.broadcast("room:1", verdict());

    let opening = Opening::new(Protocol::V1ExtJson).resuming(sid.as_str().unwrap());
    let again = Client::open(&cable, &app, "alice", opening);
    let welcome = expect_type(&again, "welcome").await;
    assert!(welcome["restored"].is_null(), "the session was lost too");
    let streams = json!({"room:1": {"epoch": heard["epoch"], "offset": heard["offset"]}});
    let subscribe =
        json!({"command": "subscribe", "identifier": room("1"), "history": {"streams": streams}});
    again.wire.send(subscribe.to_string());
    expect_type(&again, "confirm_subscription").await;
    expect_type(&again, "reject_history").await;
    assert_eq!(next(&again).await["message"], "verdict");
    cable.broadcast("room:1", json!("after"));
    assert_eq!(next(&again).await["message"], "after");
    assert_eq!(cable.stats().history_misses, 1);
}

/// Redis lives on but its memory is emptied, which nothing announces.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_was_emptied_is_noticed() {
    let Some(redis) = Mortal::start().await else {
        return;
    };
    let options = fresh();
    let (here, app) = process(&redis.address(), &options).await;
    let (there, _) = process(&redis.address(), &options).await;
    let client = follower(&there, &app, Protocol::V1Json).await;
    here.broadcast("room:1", json!("before"));
    assert_eq!(next(&client).await["message"], "before");
    app.set("room:1", verdict());
    let admin = redis::Client::open(redis.address()).unwrap();
    let mut admin = admin.get_multiplexed_async_connection().await.unwrap();
    let () = redis::cmd("FLUSHALL")
        .query_async(&mut admin)
        .await
        .unwrap();
    here.broadcast("room:1", json!("news"));
    assert_eq!(next_two(&client).await, [json!("news"), json!("verdict")]);
}
