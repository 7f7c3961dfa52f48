//! `axiam site webhook`, as an operator meets it.

use std::process::{Command, Output};

use serde_json::Value;
use testkit::{Reaction, Receiver};

struct Operator {
    data: tempfile::TempDir,
    site: String,
}

impl Operator {
    fn new() -> Self {
        let mut operator = Self {
            data: tempfile::tempdir().unwrap(),
            site: String::new(),
        };
        let created = operator.run(&["site", "create", "--url", "a.example", "--json"]);
        operator.site = json(&created)["site_id"].as_str().unwrap().to_owned();
        operator
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_axiam"))
            .env_remove("AXIAM_DATABASE_URL")
            .env("AXIAM_OUTGOING_ALLOW", "127.0.0.0/8")
            .arg("--data-dir")
            .arg(self.data.path())
            .args(arguments)
            .output()
            .unwrap()
    }

    fn webhook(&self, command: &str, rest: &[&str]) -> Output {
        let arguments = [&["site", "webhook", command, &self.site], rest].concat();
        self.run(&arguments)
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(output)))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_added_tried_out_watched_and_removed() {
    let endpoint = Receiver::start().await;
    let operator = Operator::new();
    let empty = text(&operator.webhook("list", &[]));
    assert!(empty.contains("axiam site webhook add"), "{empty}");
    let added = operator.webhook(
        "add",
        &[
            "--url",
            &endpoint.url,
            "--events",
            "client.locked,sign_on.denied",
            "--json",
        ],
    );
    let added = json(&added);
    let (id, secret) = (
        added["webhook_id"].as_str().unwrap(),
        added["secret"].as_str().unwrap(),
    );
    assert!(secret.starts_with("whsec_") && added["events"][0] == "client.locked");
    let listed = text(&operator.webhook("list", &[]));
    assert!(
        listed.contains(id) && !listed.contains("whsec_"),
        "{listed}"
    );
    let tried = operator.webhook("test", &[id]);
    assert!(
        tried.status.success() && text(&tried).contains("Delivered: 200"),
        "{}",
        text(&tried)
    );
    endpoint.next([Reaction::Answer(500, None)]);
    let tried = operator.webhook("test", &[id]);
    assert!(
        !tried.status.success() && text(&tried).contains("500"),
        "{}",
        text(&tried)
    );
    let sent = endpoint.take();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].json()["type"], "webhook.test");
    let told = operator.webhook("deliveries", &[id, "--json"]);
    let states: Vec<&str> = json(&told)
        .as_array()
        .unwrap()
        .iter()
        .map(|row| match row["state"].as_str().unwrap() {
            "dead" => "dead",
            "delivered" => "delivered",
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(states, ["dead", "delivered"]);
    let dead = operator.webhook("deliveries", &[id, "--dead", "--json"]);
    let delivery = json(&dead)[0]["delivery_id"].as_str().unwrap().to_owned();
    let replayed = operator.webhook("replay", &[id, "--delivery", &delivery]);
    assert!(
        text(&replayed).starts_with("1 message(s)"),
        "{}",
        text(&replayed)
    );
    let waits = text(&operator.webhook("deliveries", &[id]));
    assert!(waits.contains("waiting"), "{waits}");
    assert!(operator.webhook("disable", &[id]).status.success());
    assert!(text(&operator.webhook("list", &[])).contains("off: by the operator"));
    assert!(operator.webhook("remove", &[id]).status.success());
    let gone = operator.webhook("deliveries", &[id]);
    assert!(text(&gone).contains("no such webhook"), "{}", text(&gone));
}

#[test]
fn what_cannot_be_a_webhook_is_refused_in_words() {
    let operator = Operator::new();
    for (url, events, words) in [
        ("nowhere", "client.locked", "url"),
        ("ftp://a.example/", "client.locked", "https"),
        ("https://10.0.0.1/", "client.locked", "outgoing.allow"),
        ("https://a.example/", "client.lost", "client.locked"),
    ] {
        let refused = operator.webhook("add", &["--url", url, "--events", events]);
        assert!(
            !refused.status.success() && text(&refused).contains(words),
            "{}",
            text(&refused)
        );
    }
    for number in 0..11 {
        let added = operator.webhook("add", &["--url", "https://a.example/"]);
        assert_eq!(added.status.success(), number < 10, "{}", text(&added));
    }
}
