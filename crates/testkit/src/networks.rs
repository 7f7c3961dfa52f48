//! Writes databases of networks in MaxMind's format (version 2.0 of its specification), which this project may not
//! carry: those that there are belong to others.

use serde_json::{Map, Value, json};

/// A network in CIDR form, and its record in JSON.
pub type Network = (&'static str, &'static str);

/// A child of a node in the tree of address bits.
#[derive(Clone, Copy)]
enum Child {
    Nothing,
    Node(usize),
    /// Where the record begins in the section of data.
    Record(usize),
}

/// The file's bytes: a tree over IPv6, in which IPv4 is `::/96`.
///
/// # Panics
/// When a network or a record is none.
#[must_use]
pub fn networks(kind: &str, networks: &[Network]) -> Vec<u8> {
    let mut nodes = vec![[Child::Nothing; 2]];
    let mut data = Vec::new();
    for (network, record) in networks {
        let (bits, length) = bits(network);
        let begin = data.len();
        let record: Value = serde_json::from_str(record).expect("a record in JSON");
        write(&mut data, &record);
        let mut at = 0;
        for depth in 0..length {
            let side = usize::from(bits >> (127 - depth) & 1 == 1);
            if depth + 1 == length {
                nodes[at][side] = Child::Record(begin);
            } else if let Child::Node(next) = nodes[at][side] {
                at = next;
            } else {
                nodes.push([Child::Nothing; 2]);
                let next = nodes.len() - 1;
                nodes[at][side] = Child::Node(next);
                at = next;
            }
        }
    }
    let count = nodes.len();
    let mut file = Vec::new();
    for child in nodes.iter().flatten() {
        // Records lie behind the nodes and sixteen bytes that separate them.
        let number = match child {
            Child::Nothing => count,
            Child::Node(node) => *node,
            Child::Record(begin) => count + 16 + begin,
        };
        let bytes = u32::try_from(number).expect("a small file").to_be_bytes();
        file.extend_from_slice(&bytes[1..]);
    }
    file.extend([0; 16]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    about(&mut file, kind, count);
    file
}

/// What the file says of itself, each number of the width that is laid down for it.
fn about(file: &mut Vec<u8>, kind: &str, nodes: usize) {
    const MADE: u64 = 1_790_000_000;
    control(file, MAP, 9);
    for (name, width, number) in [
        ("node_count", UNSIGNED_32, nodes as u64),
        ("record_size", UNSIGNED_16, 24),
        ("ip_version", UNSIGNED_16, 6),
        ("binary_format_major_version", UNSIGNED_16, 2),
        ("binary_format_minor_version", UNSIGNED_16, 0),
        ("build_epoch", UNSIGNED_64, MADE),
    ] {
        write(file, &json!(name));
        let bytes = match width {
            UNSIGNED_16 => 2,
            UNSIGNED_32 => 4,
            _ => 8,
        };
        control(file, width, bytes);
        file.extend(&number.to_be_bytes()[8 - bytes..]);
    }
    for (name, value) in [
        ("database_type", json!(kind)),
        ("languages", json!(["en"])),
        ("description", json!({ "en": "made for a test" })),
    ] {
        write(file, &json!(name));
        write(file, &value);
    }
}

fn bits(network: &str) -> (u128, u32) {
    let (address, length) = network.split_once('/').expect("a network");
    let length: u32 = length.parse().expect("a length");
    match address.parse().expect("an address") {
        std::net::IpAddr::V4(v4) => (v4.to_bits().into(), 96 + length),
        std::net::IpAddr::V6(v6) => (v6.to_bits(), length),
    }
}

const STRING: u8 = 2;
const DOUBLE: u8 = 3;
const UNSIGNED_16: u8 = 5;
const UNSIGNED_32: u8 = 6;
const MAP: u8 = 7;
const UNSIGNED_64: u8 = 9;
const ARRAY: u8 = 11;

fn write(into: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(text) => {
            control(into, STRING, text.len());
            into.extend(text.as_bytes());
        }
        Value::Number(number) => {
            control(into, DOUBLE, 8);
            into.extend(number.as_f64().unwrap_or_default().to_be_bytes());
        }
        Value::Array(values) => {
            control(into, ARRAY, values.len());
            values.iter().for_each(|value| write(into, value));
        }
        Value::Object(fields) => write_map(into, fields),
        other => panic!("{other} has no form in this format"),
    }
}

fn write_map(into: &mut Vec<u8>, fields: &Map<String, Value>) {
    control(into, MAP, fields.len());
    for (name, value) in fields {
        control(into, STRING, name.len());
        into.extend(name.as_bytes());
        write(into, value);
    }
}

/// Kind and size: three bits and five, a kind over 7 and a size over 28 in a byte of their own.
fn control(into: &mut Vec<u8>, kind: u8, size: usize) {
    let short = size.min(29);
    let first = u8::try_from(short).expect("at most 29");
    if kind > 7 {
        into.extend([first, kind - 7]);
    } else {
        into.push(kind << 5 | first);
    }
    if short == 29 {
        into.push(u8::try_from(size - 29).expect("a short text"));
    }
}
