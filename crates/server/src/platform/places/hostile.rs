//! Files that are broken, or made to break what reads them.

use std::{
    fs,
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use testkit::networks;

use super::*;

const HANOI: &str = r#"{"city":{"names":{"en":"Hanoi"}},"country":{"names":{"en":"Vietnam"}}}"#;
const ICELAND: &str = r#"{"country":{"names":{"en":"Iceland"}},"traits":{"of":["a","b"]}}"#;

/// Longest that a file may keep anyone waiting, here where nothing is optimised and others work beside.
const PATIENCE: Duration = Duration::from_secs(20);

fn good() -> Vec<u8> {
    networks(
        "Test-City",
        &[("203.0.113.0/24", HANOI), ("2001:db8::/32", ICELAND)],
    )
}

/// What a file of these bytes comes to, and that it neither hangs nor lets a lookup panic.
fn tried(bytes: &[u8]) -> Result<Places, PlacesError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("places.mmdb");
    fs::write(&file, bytes).unwrap();
    let begun = Instant::now();
    let places = Places::of_file(&file);
    if let Ok(places) = &places {
        for ip in [
            "203.0.113.9",
            "2001:db8::1",
            "::",
            "255.255.255.255",
            "ffff::1",
            "0.0.0.0",
            "::ffff:203.0.113.9",
        ] {
            let place = places.of(ip.parse().unwrap());
            assert!(place.chars().count() <= 2 * NAME + 2, "{place}");
            assert!(!place.contains(char::is_control), "{place:?}");
        }
    }
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    places
}

fn said(bytes: &[u8]) -> String {
    match tried(bytes) {
        Ok(_) => "nothing is wrong".into(),
        Err(error) => error.to_string(),
    }
}

/// A file whose tree has these nodes, with two children each; a child beyond them is nothing.
fn tree(nodes: &[[usize; 2]]) -> Vec<u8> {
    let mut file = Vec::new();
    for child in nodes.iter().flatten() {
        file.extend(&u32::try_from(*child).unwrap().to_be_bytes()[1..]);
    }
    let good = good();
    let marker = b"\xab\xcd\xefMaxMind.com";
    let at = good
        .windows(marker.len())
        .position(|w| w == marker)
        .unwrap();
    file.extend([0; 16]);
    let mut about = good[at..].to_vec();
    let name = b"node_count";
    let count = about.windows(name.len()).position(|w| w == name).unwrap() + name.len() + 1;
    about[count..count + 4].copy_from_slice(&u32::try_from(nodes.len()).unwrap().to_be_bytes());
    file.extend(about);
    file
}

#[test]
fn trees_with_more_ways_than_anyone_can_go_are_left_in_time() {
    let chain = |last: [usize; 2]| -> Vec<[usize; 2]> {
        let mut nodes: Vec<_> = (1..128).map(|next| [next, next]).collect();
        nodes.push(last);
        nodes
    };
    // 2 to the power of 128 ways to nothing; of which most lead to the networks of IPv4; and in a circle.
    assert!(said(&tree(&chain([128, 128]))).contains("no cities or countries"));
    assert!(said(&tree(&chain([0, 128]))).contains("places.mmdb: "));
    let mut shorter = chain([128, 128]);
    shorter[96] = [128, 128];
    assert!(said(&tree(&shorter)).contains("no cities or countries"));
    assert!(said(&tree(&[[0, 0]])).contains("cycle"));
    assert!(said(&tree(&[[0xff_ffff, 0xff_ffff]])).contains("places.mmdb: "));
}

#[test]
fn records_that_point_to_themselves_are_no_places() {
    let mut bytes = good();
    let city = bytes.windows(5).position(|w| w == b"Dcity").unwrap();
    // The record's map, and in it the city's: both point to the map.
    for at in [city - 1, city + 5] {
        let mut bytes = bytes.clone();
        bytes[at] = 0b001_00000;
        bytes[at + 1] = 0;
        drop(tried(&bytes));
    }
    bytes[city - 1] = 0b111_11111;
    drop(tried(&bytes));
}

#[test]
fn names_without_end_and_orders_to_terminals_are_cut() {
    let long = "x".repeat(250);
    let record = format!(
        r#"{{"city":{{"names":{{"en":"{long}"}}}},"country":{{"names":{{"en":"\u001b[2J\u0000Iceland"}}}}}}"#
    );
    let record: &'static str = record.leak();
    let places = tried(&networks("Test\u{1b}[2J", &[("203.0.113.0/24", record)])).unwrap();
    let place = places.of("203.0.113.9".parse().unwrap());
    assert_eq!(place, format!("{}, [2JIceland", "x".repeat(NAME)));
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let huge = folder.path().join("huge");
    fs::File::create(&huge)
        .unwrap()
        .set_len(LARGEST + 1)
        .unwrap();
    let circle = folder.path().join("circle");
    std::os::unix::fs::symlink(&circle, &circle).unwrap();
    for (file, words) in [
        (pipe.as_path(), "is no file"),
        (Path::new("/dev/zero"), "is no file"),
        (folder.path(), "is no file"),
        (huge.as_path(), "larger than 1 GiB"),
        (circle.as_path(), "places: "),
    ] {
        let Err(error) = Places::of_file(file) else {
            panic!("{}", file.display());
        };
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn addresses_are_located_while_the_file_is_replaced() {
    let hanoi: IpAddr = "203.0.113.9".parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("places.mmdb");
    fs::write(&file, good()).unwrap();
    let places = Places::of_file(&file).unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watch = || {
            let mut looked = 0;
            while !over.load(Ordering::Relaxed) || looked == 0 {
                let place = places.of(hanoi);
                assert!(
                    ["Hanoi, Vietnam", "Iceland", ""].contains(&place.as_str()),
                    "{place}"
                );
                looked += 1;
            }
        };
        let watching = [scope.spawn(watch), scope.spawn(watch)];
        for turn in 0..300 {
            let record = if turn % 2 == 0 { ICELAND } else { HANOI };
            fs::write(&file, networks("Test-City", &[("203.0.113.0/24", record)])).unwrap();
            places.go_by(Places::of_file(&file).unwrap());
            // A copy that is not finished is refused, and what was known stays.
            fs::write(&file, &good()[..40]).unwrap();
            assert!(Places::of_file(&file).is_err());
            if turn % 7 == 0 {
                places.go_by(Places::of_file(Path::new("")).unwrap());
            }
        }
        over.store(true, Ordering::Relaxed);
        for thread in watching {
            thread.join().unwrap();
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_change_of_a_file_makes_anyone_wait_or_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
        doubled in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = good();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(at) = doubled {
            let at = at.index(bytes.len());
            let tail = bytes[at..].to_vec();
            bytes.extend(tail);
        }
        if let Some(at) = cut {
            bytes.truncate(at.index(bytes.len()));
        }
        drop(tried(&bytes));
    }

    #[test]
    fn noise_behind_the_marker_is_no_database(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut bytes = good();
        bytes.truncate(bytes.len() - 150);
        bytes.extend(b"\xab\xcd\xefMaxMind.com");
        bytes.extend(noise);
        prop_assert!(tried(&bytes).is_err());
    }
}
