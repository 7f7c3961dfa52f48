//! A small cable server to try clients against:
//!
//! ```text
//! cargo run -p cable --example rooms -- 127.0.0.1:3100
//! ```
//!
//! `RoomChannel` with `id` follows a room. `POST /rooms/{id}` broadcasts the JSON body to it, with
//! `?key=` as an idempotency key; with `&state=true` it is also what later subscribers find.
//! With the feature `redis` and `REDIS_URL` in the environment, several of these share a cable.
//! `POST /disconnect/{user}` ends a user's connections, `POST /drain` all of them.
#![allow(clippy::expect_used)] // An example stops where it cannot go on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Json, Router};
use cable::{Application, Cable, Denied, Disconnect, Handshake, Identifier, Message};
use serde::Deserialize;
use serde_json::{Value, json};

/// The application: rooms, and what is known in each.
#[derive(Default)]
struct Rooms {
    known: Mutex<HashMap<String, Message>>,
}

#[derive(Deserialize)]
struct RoomParams {
    id: String,
}

impl Application for Rooms {
    type Connection = String;

    fn tags(&self, user: &String) -> Vec<String> {
        vec![format!("user:{user}")]
    }

    async fn subscribe(&self, _: &String, id: &Identifier) -> Result<Vec<String>, Denied> {
        match id.channel().as_deref() {
            Some("RoomChannel") => {
                let room: RoomParams = id.params().map_err(|_| Denied::Subscription)?;
                Ok(vec![format!("room:{}", room.id)])
            }
            _ => Err(Denied::Subscription),
        }
    }

    async fn confirmed(&self, _: &String, id: &Identifier) -> Result<Vec<Message>, Disconnect> {
        let Ok(room) = id.params::<RoomParams>() else {
            return Ok(Vec::new());
        };
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(&format!("room:{}", room.id)).cloned();
        Ok(known.into_iter().collect())
    }

    async fn perform(&self, user: &String, _: &Identifier, data: Value) -> Vec<Message> {
        vec![Message::from(json!({"echo": data, "to": user}))]
    }
}

#[derive(Clone)]
struct App {
    cable: Cable,
    rooms: Arc<Rooms>,
}

#[derive(Deserialize)]
struct Login {
    user: Option<String>,
}

async fn connect(
    State(app): State<App>,
    Query(login): Query<Login>,
    handshake: Handshake,
) -> Response {
    // A real application looks the token up.
    match login
        .user
        .or_else(|| handshake.token().map(ToOwned::to_owned))
    {
        Some(user) => handshake.accept(&app.cable, app.rooms, user),
        None => handshake.refuse(&app.cable, Disconnect::unauthorized()),
    }
}

#[derive(Deserialize)]
struct Extras {
    key: Option<String>,
    #[serde(default)]
    state: bool,
}

async fn broadcast(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(extras): Query<Extras>,
    Json(body): Json<Value>,
) {
    let stream = format!("room:{id}");
    let mut message = Message::from(body);
    if let Some(key) = extras.key {
        message = message.with_key(key);
    }
    if extras.state {
        let mut known = app
            .rooms
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(stream.clone(), message.clone());
    }
    app.cable.broadcast(&stream, message);
}

#[cfg(feature = "redis")]
async fn cable() -> Cable {
    use cable::fanout::redis::{Redis, RedisOptions};
    match std::env::var("REDIS_URL") {
        Ok(address) => {
            let redis = Redis::connect(&address, RedisOptions::default()).await;
            Cable::with_fanout(cable::Options::default(), redis.expect("Redis answers"))
        }
        Err(_) => Cable::default(),
    }
}

#[cfg(not(feature = "redis"))]
async fn cable() -> Cable {
    Cable::default()
}

#[tokio::main]
async fn main() {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:3100".to_owned());
    let app = App {
        cable: cable().await,
        rooms: Arc::default(),
    };
    let router = Router::new()
        .route("/cable", any(connect))
        .route("/rooms/{id}", post(broadcast))
        .route(
            "/disconnect/{user}",
            post(
                |State(app): State<App>, Path(user): Path<String>| async move {
                    app.cable.disconnect(&format!("user:{user}"), true);
                },
            ),
        )
        .route(
            "/drain",
            post(|State(app): State<App>| async move {
                app.cable.drain(Duration::from_secs(1)).await;
            }),
        )
        .route(
            "/stats",
            get(|State(app): State<App>| async move { format!("{:#?}\n", app.cable.stats()) }),
        )
        .with_state(app);
    let listener = tokio::net::TcpListener::bind(&address)
        .await
        .expect("the address is free");
    println!("http://{address}");
    axum::serve(listener, router)
        .await
        .expect("the server runs");
}
