//! Circles in a graph.

use std::collections::{BTreeMap, BTreeSet};

/// The circles that a search from each node finds, as `a → b → a`; at most one through each node.
pub(super) fn find(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut found = BTreeSet::new();
    for start in edges.keys() {
        if let Some(way) = way_back(edges, start) {
            // The same circle is found from each of its nodes: it begins with the first by name.
            let first = way.iter().enumerate().min_by_key(|(_, name)| *name);
            let at = first.map_or(0, |(at, _)| at);
            let mut turned: Vec<&str> = way[at..].iter().chain(&way[..at]).copied().collect();
            turned.push(turned[0]);
            found.insert(turned.join(" → "));
        }
    }
    found.into_iter().collect()
}

/// A shortest way from a node back to itself, without its end.
fn way_back<'e>(
    edges: &'e BTreeMap<String, BTreeSet<String>>,
    start: &'e str,
) -> Option<Vec<&'e str>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in edges.get(node).into_iter().flatten() {
            if next == start {
                let mut way = vec![node];
                while *way.last()? != start {
                    way.push(came_from[way.last()?]);
                }
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(next.as_str()) {
                came_from.insert(next, node);
                queue.push_back(next);
            }
        }
    }
    None
}

#[test]
fn a_circle_is_found_once() {
    let edge = |from: &str, to: &[&str]| {
        (
            from.to_owned(),
            to.iter().map(|to| (*to).to_owned()).collect(),
        )
    };
    let edges = BTreeMap::from([edge("b", &["c"]), edge("c", &["a", "d"]), edge("a", &["b"])]);
    assert_eq!(find(&edges), ["a → b → c → a"]);
    assert!(find(&BTreeMap::from([edge("a", &["b", "c"]), edge("b", &["c"])])).is_empty());
}
