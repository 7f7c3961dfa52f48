//! Replays `tests/conversations/*.txt`; their README says how to write one.

mod replay;
mod script;

use std::path::PathBuf;

use replay::{InMemory, OverNetwork};
use script::Script;

use crate::support::paused;

fn scripts() -> Vec<Script> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conversations");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| Script::read(path)).collect()
}

/// All of them, in memory and with paused time.
#[test]
fn in_memory() {
    for script in scripts() {
        paused().block_on(replay::replay::<InMemory>(&script));
    }
}

/// Those in which no time passes, against a running server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_network() {
    for script in scripts().iter().filter(|script| !script.takes_time()) {
        replay::replay::<OverNetwork>(script).await;
    }
}
