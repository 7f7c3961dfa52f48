use super::shard::Ring;
use super::*;

const OPTIONS: HistoryOptions = HistoryOptions {
    messages: 3,
    ttl: Duration::from_secs(100),
    bytes: 64 * 1024 * 1024,
    session_ttl: Duration::from_secs(100),
};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(1_700_000_000 + seconds)
}

fn say(history: &History, stream: &str, n: u64, seconds: u64) -> Position {
    let mut position = None;
    history.append(
        stream,
        serde_json::json!(n).into(),
        at(seconds),
        |published| {
            position = published.position.clone();
        },
    );
    position.unwrap()
}

fn payloads(result: Result<Vec<Arc<Published>>, Lost>) -> Result<Vec<String>, Lost> {
    Ok(result?
        .iter()
        .map(|published| published.message.payload().to_owned())
        .collect())
}

#[test]
fn counts_and_gives_back_what_came_after() {
    let history = History::new(OPTIONS);
    let before = history.position("s", at(0));
    assert_eq!(before.offset, 0);
    let first = say(&history, "s", 1, 1);
    assert_eq!(
        first,
        Position {
            epoch: before.epoch.clone(),
            offset: 1
        }
    );
    say(&history, "s", 2, 2);
    say(&history, "t", 9, 2);
    let since = |since| payloads(history.since("s", &since, at(3)));
    assert_eq!(since(Since::Position(before)).unwrap(), ["1", "2"]);
    assert_eq!(since(Since::Position(first.clone())).unwrap(), ["2"]);
    assert_eq!(since(Since::Time(at(2))).unwrap(), ["2"]);
    assert_eq!(since(Since::Time(at(3))).unwrap(), [""; 0]);
    assert_eq!(since(Since::Start).unwrap(), ["1", "2"]);
    let ahead = Position {
        offset: 3,
        ..first.clone()
    };
    assert_eq!(since(Since::Position(ahead)), Err(Lost));
    let elsewhere = Position {
        epoch: "other".into(),
        ..first
    };
    assert_eq!(since(Since::Position(elsewhere)), Err(Lost));
}

#[test]
fn says_so_when_messages_are_gone() {
    let history = History::new(OPTIONS);
    let positions: Vec<_> = (1..=5).map(|n| say(&history, "s", n, n)).collect();
    let since =
        |n: usize| payloads(history.since("s", &Since::Position(positions[n - 1].clone()), at(6)));
    assert_eq!(since(1), Err(Lost));
    assert_eq!(since(2).unwrap(), ["3", "4", "5"]);
    assert_eq!(since(5).unwrap(), [""; 0]);
}

#[test]
fn old_messages_are_gone_also_before_they_are_swept() {
    let history = History::new(OPTIONS);
    let first = say(&history, "s", 1, 0);
    let second = say(&history, "s", 2, 90);
    let now = at(101);
    assert_eq!(
        payloads(history.since("s", &Since::Start, now)).unwrap(),
        ["2"]
    );
    let from =
        |position: &Position| payloads(history.since("s", &Since::Position(position.clone()), now));
    assert_eq!(
        from(&first).unwrap(),
        ["2"],
        "nothing after the first is gone"
    );
    assert_eq!(from(&Position { offset: 0, ..first }), Err(Lost));
    // Swept but in use, the stream keeps counting; forgotten, it begins another epoch.
    assert_eq!(history.position("s", at(150)), second);
    let third = say(&history, "s", 3, 195);
    assert_eq!(
        third,
        Position {
            offset: 3,
            ..second
        }
    );
    assert_ne!(history.position("s", at(300)).epoch, third.epoch);
}

#[test]
fn a_key_is_taken_once_while_it_is_remembered() {
    let history = History::new(OPTIONS);
    let say = |key: &str, seconds| {
        let mut taken = false;
        let message = Message::from(serde_json::json!(seconds)).with_key(key);
        history.append("s", message, at(seconds), |_| taken = true);
        taken
    };
    assert!(say("a", 0));
    assert!(say("b", 1));
    assert!(!say("a", 2));
    assert!(!say("a", 100));
    assert!(say("a", 101));
}

#[test]
fn bytes_are_bounded() {
    let history = History::new(HistoryOptions {
        bytes: 64 * 1000,
        messages: 1000,
        ..OPTIONS
    });
    for n in 0..10_000 {
        say(&history, &format!("stream {}", n % 500), n, n / 1000);
    }
    let held: usize = history.shards.iter().map(|shard| lock(shard).bytes).sum();
    assert!(held <= 64 * 1000, "{held}");
    let real: usize = history
        .shards
        .iter()
        .map(|shard| {
            let shard = lock(shard);
            shard.streams.values().map(Ring::bytes).sum::<usize>()
        })
        .sum();
    assert_eq!(held, real);
}
