//! Hub and session against a simple reference: what each of several clients must hear.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cable::{Cable, Message};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{App, Client, options, paused, room, settle};

const CLIENTS: usize = 3;
const ROOMS: u8 = 3;

#[derive(Clone, Debug)]
enum Step {
    Subscribe(usize, u8),
    Unsubscribe(usize, u8),
    /// To a room, with a key.
    Broadcast(u8, Option<u8>),
    /// What exists in a room, with a key.
    State(u8, u8),
    Leave(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..CLIENTS, 0..ROOMS).prop_map(|(c, r)| Step::Subscribe(c, r)),
        2 => (0..CLIENTS, 0..ROOMS).prop_map(|(c, r)| Step::Unsubscribe(c, r)),
        6 => (0..ROOMS, proptest::option::of(0..3u8)).prop_map(|(r, k)| Step::Broadcast(r, k)),
        1 => (0..ROOMS, 0..3u8).prop_map(|(r, k)| Step::State(r, k)),
        1 => (0..CLIENTS).prop_map(Step::Leave),
    ]
}

/// The reference: sets and lists.
#[derive(Default)]
struct Model {
    /// By client and room, the keys heard.
    subscriptions: BTreeMap<(usize, u8), BTreeSet<u8>>,
    state: BTreeMap<u8, u8>,
    /// The keys that each room has taken.
    taken: BTreeSet<(u8, u8)>,
    heard: [Vec<Value>; CLIENTS],
}

impl Model {
    fn subscribe(&mut self, client: usize, room: u8) {
        self.heard[client].push(json!(["confirm_subscription", room.to_string()]));
        if self.subscriptions.contains_key(&(client, room)) {
            return;
        }
        let mut keys = BTreeSet::new();
        if let Some(key) = self.state.get(&room) {
            keys.insert(*key);
            self.heard[client].push(json!([fact(*key), room.to_string()]));
        }
        self.subscriptions.insert((client, room), keys);
    }

    fn broadcast(&mut self, room: u8, payload: &Value, key: Option<u8>) {
        if key.is_some_and(|key| !self.taken.insert((room, key))) {
            return;
        }
        for ((client, its_room), keys) in &mut self.subscriptions {
            if *its_room == room && key.is_none_or(|key| keys.insert(key)) {
                self.heard[*client].push(json!([payload, room.to_string()]));
            }
        }
    }
}

fn fact(key: u8) -> Value {
    json!({"fact": key})
}

fn keyed(key: u8) -> Message {
    Message::from(fact(key)).with_key(key.to_string())
}

/// What a frame says and the room it is about.
fn gist(frame: &Value) -> Value {
    let identifier: Value = serde_json::from_str(frame["identifier"].as_str().unwrap()).unwrap();
    let said = if frame["type"].is_null() {
        &frame["message"]
    } else {
        &frame["type"]
    };
    json!([said, identifier["id"]])
}

async fn play(steps: Vec<Step>) {
    let (cable, app) = (Cable::new(options()), Arc::new(App::default()));
    let mut model = Model::default();
    let mut clients = Vec::new();
    for n in 0..CLIENTS {
        clients.push(Client::welcomed(&cable, &app, &n.to_string()).await);
    }
    for (n, step) in steps.into_iter().enumerate() {
        match step {
            Step::Subscribe(client, id) => {
                model.subscribe(client, id);
                clients[client].send("subscribe", &room(&id.to_string()));
            }
            Step::Unsubscribe(client, id) => {
                model.subscriptions.remove(&(client, id));
                clients[client].send("unsubscribe", &room(&id.to_string()));
            }
            Step::Broadcast(id, key) => {
                let payload = key.map_or_else(|| json!(n), fact);
                model.broadcast(id, &payload, key);
                let message = key.map_or_else(|| Message::from(json!(n)), keyed);
                cable.broadcast(&format!("room:{id}"), message);
            }
            Step::State(id, key) => {
                model.state.insert(id, key);
                app.set(&format!("room:{id}"), keyed(key));
            }
            Step::Leave(client) => {
                model.subscriptions.retain(|(its, _), _| *its != client);
                clients[client].wire.cut();
                clients[client] = Client::welcomed(&cable, &app, &client.to_string()).await;
            }
        }
        settle().await;
        let stats = cable.stats();
        let rooms: BTreeSet<u8> = model.subscriptions.keys().map(|(_, room)| *room).collect();
        assert_eq!(stats.subscriptions, model.subscriptions.len() as u64);
        assert_eq!(stats.streams, rooms.len() as u64);
        for (client, heard) in clients.iter().zip(&mut model.heard) {
            for expected in heard.drain(..) {
                assert!(client.wire.has_frame(), "not heard: {expected}");
                assert_eq!(gist(&client.json().await), expected);
            }
            assert!(!client.wire.has_frame(), "heard too much");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn everyone_hears_what_the_reference_says(
        steps in proptest::collection::vec(step(), 0..80),
    ) {
        paused().block_on(play(steps));
    }
}
