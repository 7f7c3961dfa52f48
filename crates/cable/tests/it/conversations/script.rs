//! A conversation as it stands in its file.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) name: String,
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) number: usize,
    pub(crate) text: String,
    pub(crate) step: Step,
}

#[derive(Debug)]
pub(crate) enum Step {
    /// `alice connect <subprotocol> [key=value ...]`
    Connect {
        who: String,
        protocol: String,
        query: Vec<(String, String)>,
    },
    /// `alice > <anything>`
    Send {
        who: String,
        text: String,
    },
    /// `alice binary`, `alice spaces 17000`
    Binary {
        who: String,
    },
    Spaces {
        who: String,
        count: usize,
    },
    /// `alice speaks <subprotocol>`
    Speaks {
        who: String,
        protocol: String,
    },
    /// `alice < <json>`
    Expect {
        who: String,
        json: Value,
    },
    /// `alice silent`
    Silent {
        who: String,
    },
    /// `alice close`, `alice cut`
    Close {
        who: String,
    },
    Cut {
        who: String,
    },
    /// `alice closed <code>`
    Closed {
        who: String,
        code: u16,
    },
    /// `app broadcast <stream> <json> [key=...]`
    Broadcast {
        stream: String,
        json: Value,
        key: Option<String>,
    },
    /// `app state <stream> <json> [key=...]`
    State {
        stream: String,
        json: Value,
        key: Option<String>,
    },
    /// `app closes <stream>`
    Closes {
        stream: String,
    },
    /// `app disconnect <tag> <reconnect>`
    Disconnect {
        tag: String,
        reconnect: bool,
    },
    /// `app drain`
    Drain,
    /// `time 3s`, `time 150ms`
    Time(Duration),
}

impl Script {
    pub(crate) fn read(path: &Path) -> Self {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
            .map(|(at, line)| {
                let step = parse(line.trim_end())
                    .unwrap_or_else(|| panic!("{name}:{}: cannot read {line:?}", at + 1));
                Line {
                    number: at + 1,
                    text: line.to_owned(),
                    step,
                }
            })
            .collect();
        Self { name, lines }
    }

    pub(crate) fn takes_time(&self) -> bool {
        self.lines
            .iter()
            .any(|line| matches!(line.step, Step::Time(_)))
    }
}

fn parse(line: &str) -> Option<Step> {
    let (who, rest) = line.split_once(' ')?;
    let (verb, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    if who == "time" {
        return Some(Step::Time(duration(verb)?));
    }
    if who == "app" {
        return app_step(verb, rest);
    }
    let who = who.to_owned();
    Some(match verb {
        "connect" => {
            let mut words = rest.split(' ').filter(|word| !word.is_empty());
            let protocol = words.next()?.to_owned();
            let pair = |word: &str| {
                word.split_once('=')
                    .map(|(k, v)| (k.to_owned(), v.to_owned()))
            };
            Step::Connect {
                who,
                protocol,
                query: words.map(pair).collect::<Option<_>>()?,
            }
        }
        ">" => Step::Send {
            who,
            text: rest.to_owned(),
        },
        "<" => Step::Expect {
            who,
            json: serde_json::from_str(rest).ok()?,
        },
        "binary" => Step::Binary { who },
        "spaces" => Step::Spaces {
            who,
            count: rest.parse().ok()?,
        },
        "speaks" => Step::Speaks {
            who,
            protocol: rest.to_owned(),
        },
        "silent" => Step::Silent { who },
        "close" => Step::Close { who },
        "cut" => Step::Cut { who },
        "closed" => Step::Closed {
            who,
            code: rest.parse().ok()?,
        },
        _ => return None,
    })
}

fn app_step(verb: &str, rest: &str) -> Option<Step> {
    let (first, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let first = first.to_owned();
    Some(match verb {
        "broadcast" => {
            let (json, key) = keyed(rest)?;
            Step::Broadcast {
                stream: first,
                json,
                key,
            }
        }
        "state" => {
            let (json, key) = keyed(rest)?;
            Step::State {
                stream: first,
                json,
                key,
            }
        }
        "closes" => Step::Closes { stream: first },
        "drain" => Step::Drain,
        "disconnect" => Step::Disconnect {
            tag: first,
            reconnect: rest.parse().ok()?,
        },
        _ => return None,
    })
}

fn keyed(text: &str) -> Option<(Value, Option<String>)> {
    let (json, key) = match text.rsplit_once(" key=") {
        Some((json, key)) => (json, Some(key.to_owned())),
        None => (text, None),
    };
    Some((serde_json::from_str(json).ok()?, key))
}

fn duration(text: &str) -> Option<Duration> {
    if let Some(millis) = text.strip_suffix("ms") {
        return millis.parse().ok().map(Duration::from_millis);
    }
    text.strip_suffix('s')?
        .parse()
        .ok()
        .map(Duration::from_secs)
}
