//! A site's own user in Redis, tried on a real one: what it hears, and that it reaches nothing else.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::StreamExt;
use redis::{Client, RedisResult, Value, aio::MultiplexedConnection};
use serde_json::{Value as Json, json};
use server::{
    platform::{
        clock::Clock as _,
        secret::{Secret, hash},
    },
    site::{self, RedisUser},
};
use testkit::{App, Backend, on_each_database, photos};

/// Longest wait for a message that must come.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// The suite's Redis, or a word that there is none.
pub(crate) fn url() -> Option<String> {
    let url = std::env::var("AXIAM_TEST_REDIS_URL").ok();
    if url.is_none() {
        testkit::skipped("Redis; `make test` starts one");
    }
    url
}

/// An app beside `app` that has this Redis.
pub(crate) async fn with_redis(app: &App, url: &str) -> App {
    App::start(app.database.clone(), |settings| {
        url.clone_into(&mut settings.redis.url);
        settings.redis.prefix = format!("test-{}", uuid::Uuid::new_v4());
    })
    .await
}

pub(crate) struct Access {
    url: String,
    pub(crate) user: RedisUser,
    password: Secret,
}

impl Access {
    pub(crate) async fn of(app: &App, backend: &Backend, url: &str) -> Self {
        Self::until(app, backend, url, None).await
    }

    pub(crate) async fn until(
        app: &App,
        backend: &Backend,
        url: &str,
        life: Option<TimeDelta>,
    ) -> Self {
        let db = &app.app.state.db;
        let site = site::find(db, backend.site_id).await.unwrap().unwrap();
        let (user, password) =
            site::give_redis_user(db, &app.app.state.keys, &site, life, app.clock.now())
                .await
                .unwrap();
        Self {
            url: url.to_owned(),
            user,
            password,
        }
    }

    fn client(&self) -> Client {
        let address = self.url.replace(
            "redis://",
            &format!("redis://{}:{}@", self.user.name, self.password.reveal()),
        );
        Client::open(address).unwrap()
    }

    pub(crate) async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        self.client().get_multiplexed_async_connection().await
    }
}

async fn admin(url: &str) -> MultiplexedConnection {
    let client = Client::open(url).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// Looks after Redis now, whatever was looked at before.
pub(crate) async fn tend(app: &App) {
    app.clock.advance(10);
    app.app.publisher.reconcile_redis().await.unwrap();
}

async fn next(stream: &mut (impl StreamExt<Item = redis::Msg> + Unpin)) -> (String, Json) {
    let message = tokio::time::timeout(MESSAGE_TIMEOUT, stream.next())
        .await
        .expect("an event comes")
        .expect("still connected");
    let text: String = message.get_payload().unwrap();
    (
        message.get_channel_name().to_owned(),
        serde_json::from_str(&text).unwrap(),
    )
}

on_each_database! {
    async fn a_backend_hears_its_own_sites_events(app: App) {
        let Some(url) = url() else { return };
        let app = with_redis(&app, &url).await;
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let access = Access::of(&app, &site, &url).await;
        Access::of(&app, &other, &url).await;
        tend(&app).await;
        let prefix = site::find(&app.app.state.db, site.site_id).await.unwrap().unwrap().channel_prefix;
        let mut listener = access.client().get_async_pubsub().await.unwrap();
        listener.psubscribe(format!("{prefix}:*")).await.unwrap();
        let mut heard = listener.into_on_message();
        other.enrolled("eve@example.com").await;
        let ann = site.enrolled("ann@example.com").await;
        let device = format!("{prefix}:device:{}", ann.client_id);
        for status in ["registered", "uploaded"] {
            let (channel, message) = next(&mut heard).await;
            assert_eq!((channel, message["status"].as_str().unwrap()), (device.clone(), status));
        }
        let verification = site.push(ann.client_id).await;
        let id = ann.waiting().await;
        ann.phone.scan(id, None, &[photos().of(0, 1)]).await.unwrap();
        let named = hex::encode(hash(&verification));
        let (channel, scanning) = next(&mut heard).await;
        assert_eq!(channel, format!("{prefix}:sign_on:{named}"));
        assert_eq!(scanning, json!({
            "status": "scanning", "sign_on_id": id, "client_id": ann.client_id,
        }));
        let (_, verified) = next(&mut heard).await;
        assert_eq!((&verified["status"], &verified["client_id"]), (&json!("verified"), &json!(ann.client_id)));
        assert_eq!(verified.get("client_session_token"), None);
    }

    async fn the_user_reaches_nothing_else(app: App) {
        let Some(url) = url() else { return };
        let app = with_redis(&app, &url).await;
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let access = Access::of(&app, &site, &url).await;
        tend(&app).await;
        let prefix = |id| {
            let db = app.app.state.db.clone();
            async move { site::find(&db, id).await.unwrap().unwrap().channel_prefix }
        };
        let (own, theirs) = (prefix(site.site_id).await, prefix(other.site_id).await);
        let cable = &app.app.state.settings.redis.prefix;
        let mut admin = admin(&url).await;
        let () = redis::cmd("SET").arg(format!("{own}:key")).arg("1").query_async(&mut admin).await.unwrap();
        let log = format!("{cable}:log");
        let own_channel = format!("{own}:sign_on:x");
        let refused: &[&[&str]] = &[
            &["GET", "x"], &["GET", &format!("{own}:key")], &["SET", &own_channel, "1"], &["DEL", "x"],
            &["EXISTS", &log], &["XRANGE", &log, "-", "+"], &["XREAD", "STREAMS", &log, "0"],
            &["KEYS", "*"], &["SCAN", "0"], &["RANDOMKEY"], &["DBSIZE"], &["SELECT", "1"],
            &["EVAL", "return 1", "0"], &["SCRIPT", "LOAD", "return 1"], &["FUNCTION", "LIST"],
            &["PUBLISH", &own_channel, "{}"], &["SPUBLISH", &own_channel, "{}"], &["PUBSUB", "CHANNELS"],
            &["CONFIG", "GET", "*"], &["ACL", "LIST"], &["ACL", "WHOAMI"], &["CLIENT", "LIST"],
            &["CLIENT", "KILL", "TYPE", "normal"], &["INFO"], &["MONITOR"],
            &["SLOWLOG", "GET"], &["MEMORY", "DOCTOR"], &["MODULE", "LIST"], &["COMMAND"],
            &["FLUSHALL"], &["SAVE"], &["SHUTDOWN", "NOSAVE"], &["REPLICAOF", "NO", "ONE"], &["WAIT", "0", "0"],
            &["MULTI"], &["SSUBSCRIBE", &own_channel],
            &["SUBSCRIBE", &format!("{theirs}:sign_on:x")], &["SUBSCRIBE", &log], &["SUBSCRIBE", &own],
            &["PSUBSCRIBE", &format!("{theirs}:*")], &["PSUBSCRIBE", "*"], &["PSUBSCRIBE", "ch_*"],
            &["PSUBSCRIBE", &format!("{own}*")], &["PSUBSCRIBE", "__keyspace@0__:*"],
        ];
        for command in refused {
            let mut connection = access.connect().await.unwrap();
            let answer: RedisResult<Value> = redis::cmd(command[0]).arg(&command[1..])
                .query_async(&mut connection).await;
            let error = answer.expect_err(&format!("{command:?} must be refused"));
            assert_eq!(error.code(), Some("NOPERM"), "{command:?}: {error}");
        }
        let mut connection = access.connect().await.unwrap();
        // What clients send when they connect, and what Rails' Action Cable subscribes to.
        for greeting in [
            &["HELLO", "3"][..], &["CLIENT", "SETNAME", "ActionCable-PID-1"], &["CLIENT", "ID"],
        ] {
            let answer: RedisResult<Value> = redis::cmd(greeting[0]).arg(&greeting[1..])
                .query_async(&mut connection).await;
            answer.unwrap_or_else(|error| panic!("{greeting:?}: {error}"));
        }
        let mut rails = access.client().get_async_pubsub().await.unwrap();
        rails.subscribe("_action_cable_internal").await.unwrap();
        let pong: String = redis::cmd("PING").query_async(&mut connection).await.unwrap();
        assert_eq!(pong, "PONG");
        let listed: Vec<String> = redis::cmd("ACL").arg("LIST").query_async(&mut admin).await.unwrap();
        let line = listed.iter().find(|line| line.contains(&access.user.name)).unwrap();
        assert!(!line.contains('~') && !line.contains("nopass"), "{line}");
    }

    async fn a_new_password_ends_the_old_and_its_connections(app: App) {
        let Some(url) = url() else { return };
        let app = with_redis(&app, &url).await;
        let site = app.site("a.example").await;
        let old = Access::of(&app, &site, &url).await;
        tend(&app).await;
        let prefix = site::find(&app.app.state.db, site.site_id).await.unwrap().unwrap().channel_prefix;
        let mut listener = old.client().get_async_pubsub().await.unwrap();
        listener.psubscribe(format!("{prefix}:*")).await.unwrap();
        let mut heard = listener.into_on_message();
        // Being looked after does not disturb who listens.
        tend(&app).await;
        site.enrolled("ann@example.com").await;
        assert_eq!(next(&mut heard).await.1["status"], "registered");
        assert_eq!(next(&mut heard).await.1["status"], "uploaded");
        let new = Access::of(&app, &site, &url).await;
        assert_eq!(new.user.name, old.user.name);
        tend(&app).await;
        let end = tokio::time::timeout(MESSAGE_TIMEOUT, heard.next()).await.expect("it is told at once");
        assert!(end.is_none());
        assert!(old.connect().await.is_err());
        new.connect().await.unwrap();
    }

    async fn a_removed_user_is_gone_and_a_lost_one_comes_back(app: App) {
        let Some(url) = url() else { return };
        let app = with_redis(&app, &url).await;
        let site = app.site("a.example").await;
        let access = Access::of(&app, &site, &url).await;
        tend(&app).await;
        access.connect().await.unwrap();
        let mut admin = admin(&url).await;
        let _: u64 = redis::cmd("ACL").arg("DELUSER").arg(&access.user.name).query_async(&mut admin).await.unwrap();
        assert!(access.connect().await.is_err());
        tend(&app).await;
        access.connect().await.unwrap();
        let db = &app.app.state.db;
        assert!(site::remove_redis_user(db, &app.app.state.keys, site.site_id, access.user.created_at).await.unwrap());
        tend(&app).await;
        assert!(access.connect().await.is_err());
        assert!(site::all_redis_users(db).await.unwrap().is_empty());
    }

    async fn only_a_hash_of_the_password_is_kept(app: App) {
        let site = app.site("a.example").await;
        let access = Access::of(&app, &site, "redis://nowhere").await;
        assert_eq!(access.user.password_hash, access.password.hash());
        assert!(access.user.name.starts_with("app_") && access.user.name.len() == 20);
    }
}
