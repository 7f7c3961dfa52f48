//! Whatever is cut, whenever, and wherever it comes back, in the same process or another: a client of `actioncable-v1-ext-json` that comes back hears
//! everything once and in order. The client here does what `@anycable/core` does.

use std::collections::BTreeMap;
use std::sync::Arc;

use cable::{Cable, Message, Opening, Protocol};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{App, Client, START, Twins, options, paused, room, settle};

const ROOMS: u8 = 2;

#[derive(Clone, Debug)]
enum Step {
    Subscribe(u8),
    Say(u8),
    /// A fact becomes true and is broadcast.
    Fact(u8),
    Read(u8),
    Permit,
    /// The connection dies with all that is on its way; the client notices and comes back, to
    /// this process.
    Cut(usize),
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..ROOMS).prop_map(Step::Subscribe),
        8 => (0..ROOMS).prop_map(Step::Say),
        1 => (0..ROOMS).prop_map(Step::Fact),
        6 => (1..4u8).prop_map(Step::Read),
        6 => Just(Step::Permit),
        2 => (0..2usize).prop_map(Step::Cut),
        6 => Just(Step::Settle),
    ]
}

/// What `@anycable/core` knows.
#[derive(Default)]
struct Known {
    sid: Option<String>,
    /// By room: whether it was confirmed on this or a resumed session.
    wanted: BTreeMap<u8, bool>,
    /// By stream, the last position.
    positions: BTreeMap<String, Value>,
    heard: BTreeMap<u8, Vec<Value>>,
}

struct Phone {
    known: Known,
    client: Client,
    welcomed: bool,
}

impl Phone {
    fn connect(cable: &Cable, app: &Arc<App>, known: Known) -> Self {
        let mut opening = Opening::new(Protocol::V1ExtJson);
        if let Some(sid) = &known.sid {
            opening = opening.resuming(sid);
        }
        Self {
            client: Client::open(cable, app, "alice", opening),
            known,
            welcomed: false,
        }
    }

    fn command(&self, command: &str, id: u8) {
        let stream = format!("room:{id}");
        let streams: BTreeMap<_, _> = self
            .known
            .positions
            .iter()
            .filter(|(name, _)| **name == stream)
            .collect();
        // A clock that is hours ahead: nothing may depend on it.
        let history = json!({"since": START + 10_000, "streams": streams});
        let frame =
            json!({"command": command, "identifier": room(&id.to_string()), "history": history});
        self.client.wire.send(frame.to_string());
    }

    fn subscribe(&mut self, id: u8) {
        if self.known.wanted.contains_key(&id) {
            return;
        }
        self.known.wanted.insert(id, false);
        if self.welcomed {
            self.command("subscribe", id);
        }
    }

    async fn read(&mut self) {
        if self.client.wire.has_frame() {
            let frame = self.client.json().await;
            self.on_frame(&frame);
        }
    }

    fn on_frame(&mut self, frame: &Value) {
        match frame["type"].as_str() {
            Some("welcome") => self.on_welcome(frame),
            Some("confirm_subscription") => {
                let confirmed = self.known.wanted.insert(id_of(&frame["identifier"]), true);
                assert_eq!(
                    confirmed,
                    Some(false),
                    "a second confirmation would unsubscribe"
                );
            }
            Some("reject_subscription" | "disconnect") => panic!("{frame}"),
            Some(_) => {}
            None => {
                if let Some(stream) = frame["stream_id"].as_str() {
                    let position = json!({"epoch": frame["epoch"], "offset": frame["offset"]});
                    self.known.positions.insert(stream.to_owned(), position);
                }
                let id = id_of(&frame["identifier"]);
                self.known
                    .heard
                    .entry(id)
                    .or_default()
                    .push(frame["message"].clone());
            }
        }
    }

    fn on_welcome(&mut self, frame: &Value) {
        self.welcomed = true;
        self.known.sid = frame["sid"].as_str().map(ToOwned::to_owned);
        let restored: Vec<u8> = frame["restored_ids"]
            .as_array()
            .into_iter()
            .flatten()
            .map(id_of)
            .collect();
        for id in &restored {
            self.command("history", *id);
        }
        for (id, confirmed) in self.known.wanted.clone() {
            if !(confirmed && restored.contains(&id)) {
                self.known.wanted.insert(id, false);
                self.command("subscribe", id);
            }
        }
    }
}

fn id_of(identifier: &Value) -> u8 {
    let identifier: Value = serde_json::from_str(identifier.as_str().unwrap()).unwrap();
    identifier["id"].as_str().unwrap().parse().unwrap()
}

async fn play(steps: Vec<Step>, processes: [Cable; 2], twins: Option<Twins>) {
    let app = Arc::new(App::gated());
    let mut phone = Phone::connect(&processes[0], &app, Known::default());
    let mut said: BTreeMap<u8, Vec<Value>> = BTreeMap::new();
    // From here on a room must be heard without a gap.
    let mut due: BTreeMap<u8, usize> = BTreeMap::new();
    let mut facts: BTreeMap<u8, Value> = BTreeMap::new();
    for (n, step) in steps.into_iter().enumerate() {
        // What is said comes from either process.
        let cable = &processes[n % 2];
        match step {
            Step::Subscribe(id) => phone.subscribe(id),
            Step::Say(id) => {
                cable.broadcast(&format!("room:{id}"), json!(n));
                said.entry(id).or_default().push(json!(n));
            }
            Step::Fact(id) if !facts.contains_key(&id) => {
                let fact = json!(format!("fact {id}"));
                let message = Message::from(fact.clone()).with_key("fact");
                app.set(&format!("room:{id}"), message.clone());
                cable.broadcast(&format!("room:{id}"), message);
                facts.insert(id, fact);
            }
            Step::Fact(_) => {}
            Step::Read(times) => {
                for _ in 0..times {
                    phone.read().await;
                }
            }
            Step::Permit => app.gate.add_permits(1),
            Step::Cut(to) => {
                phone.client.wire.cut();
                phone = Phone::connect(&processes[to], &app, phone.known);
            }
            Step::Settle => settle().await,
        }
        for (id, confirmed) in &phone.known.wanted {
            if *confirmed {
                due.entry(*id)
                    .or_insert_with(|| said.get(id).map_or(0, Vec::len));
            }
        }
    }
    app.gate.add_permits(10_000);
    read_all(&mut phone).await;
    if let Some(twins) = twins {
        // The processes fear that messages were lost. They were not, so nothing comes twice.
        twins.interrupt();
        tokio::time::sleep(options().ping_interval * 2).await;
        read_all(&mut phone).await;
    }
    check(&phone.known, &said, &due, &facts);
}

async fn read_all(phone: &mut Phone) {
    for _ in 0..3 {
        settle().await;
        while phone.client.wire.has_frame() {
            phone.read().await;
        }
    }
}

fn check(
    known: &Known,
    said: &BTreeMap<u8, Vec<Value>>,
    due: &BTreeMap<u8, usize>,
    facts: &BTreeMap<u8, Value>,
) {
    for (id, confirmed) in &known.wanted {
        assert!(confirmed, "room {id} was confirmed in the end");
        let heard = known.heard.get(id).cloned().unwrap_or_default();
        let (told, words): (Vec<_>, Vec<_>) = heard.into_iter().partition(Value::is_string);
        let expected: Vec<_> = facts.get(id).cloned().into_iter().collect();
        assert_eq!(told, expected, "facts of room {id}");
        let said = said.get(id).cloned().unwrap_or_default();
        let start = said.len().saturating_sub(words.len());
        assert_eq!(words, said[start..], "words in room {id}");
        assert!(
            due.get(id).is_none_or(|due| start <= *due),
            "words missing in room {id}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn everything_is_heard_once_through_cuts(
        steps in proptest::collection::vec(step(), 0..80),
    ) {
        paused().block_on(async {
            let cable = Cable::new(options());
            play(steps, [cable.clone(), cable], None).await;
        });
    }

    #[test]
    fn and_through_another_process(
        steps in proptest::collection::vec(step(), 0..80),
    ) {
        paused().block_on(async {
            let twins = Twins::default();
            let process = || Cable::with_fanout(options(), twins.clone());
            play(steps, [process(), process()], Some(twins.clone())).await;
        });
    }
}
