//! Our side: the cable behind axum, with the settings it has by default, and the same two ways to
//! make it broadcast as the Rails application has.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{any, get, post};
use cable::fanout::redis::{Redis, RedisOptions};
use cable::{Application, Cable, Denied, Handshake, Identifier, Options};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::page::now;

struct Bench;

#[derive(Deserialize)]
struct Params {
    stream: String,
}

impl Application for Bench {
    type Connection = ();

    async fn subscribe(&self, _: &(), identifier: &Identifier) -> Result<Vec<String>, Denied> {
        match identifier.channel().as_deref() {
            Some("BenchChannel") => {
                let params: Params = identifier.params().map_err(|_| Denied::Subscription)?;
                Ok(vec![params.stream])
            }
            _ => Err(Denied::Subscription),
        }
    }
}

fn stamped(size: usize) -> Value {
    json!({"t": now(), "pad": "x".repeat(size)})
}

#[derive(Clone)]
struct App(Cable, Arc<Bench>);

async fn connect(State(App(cable, bench)): State<App>, handshake: Handshake) -> Response {
    handshake.accept(&cable, bench, ())
}

async fn broadcast(State(App(cable, _)): State<App>, Path((stream, size)): Path<(String, usize)>) {
    cable.broadcast(&stream, stamped(size));
}

async fn sweep(
    State(App(cable, _)): State<App>,
    Path((streams, pause, size)): Path<(u32, u64, usize)>,
) {
    let start = Instant::now();
    for at in 0..streams {
        // Also without a pause others have their turn, as between the threads of Rails.
        match pause {
            0 => tokio::task::yield_now().await,
            _ => tokio::time::sleep_until(start + Duration::from_micros(pause) * at).await,
        }
        cable.broadcast(&format!("p{at}"), stamped(size));
    }
}

async fn stats(State(App(cable, _)): State<App>) -> String {
    cable.stats().prometheus("cable")
}

/// Serves until it is killed.
pub(crate) async fn serve(
    address: SocketAddr,
    redis: Option<&str>,
) -> Result<(), Box<dyn std::error::Error>> {
    let cable = match redis {
        Some(url) => {
            let redis = Redis::connect(url, RedisOptions::default()).await?;
            Cable::with_fanout(Options::default(), redis)
        }
        None => Cable::default(),
    };
    let router = Router::new()
        .route("/cable", any(connect))
        .route("/broadcast/{stream}/{size}", post(broadcast))
        .route("/sweep/{streams}/{pause}/{size}", post(sweep))
        .route("/stats", get(stats))
        .with_state(App(cable, Arc::new(Bench)));
    let listener = TcpListener::bind(address).await?;
    axum::serve(listener, router).await?;
    Ok(())
}
