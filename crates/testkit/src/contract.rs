//! Holds every answer that a test gets to the committed contract.

use std::{collections::BTreeSet, sync::OnceLock};

use serde_json::Value;

use crate::photos::root;

fn contract() -> &'static Value {
    static CONTRACT: OnceLock<Value> = OnceLock::new();
    CONTRACT.get_or_init(|| {
        let file = root().join("docs/openapi.json");
        let text = std::fs::read_to_string(file).expect("docs/openapi.json");
        serde_json::from_str(&text).expect("docs/openapi.json is JSON")
    })
}

/// The operation that the contract has for a call; none for what is no route of the API.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let parts = || path.split('/');
    let fits = |route: &str| {
        route.split('/').count() == parts().count()
            && route
                .split('/')
                .zip(parts())
                .all(|(named, called)| named.starts_with('{') || named == called)
    };
    let paths = contract()["paths"].as_object()?;
    let exact = paths.get(path);
    let (_, routes) = exact.map(|routes| (path, routes)).or_else(|| {
        let mut all = paths.iter();
        all.find(|(route, _)| fits(route))
            .map(|(route, routes)| (route.as_str(), routes))
    })?;
    routes.get(method.to_ascii_lowercase())
}

/// Fails when the contract does not say that this call may be answered with this status and code
/// (0 for a success).
///
/// # Panics
/// When it does not.
pub fn hold(method: &str, path: &str, status: u16, code: u64) {
    let Some(operation) = operation(method, path) else {
        return;
    };
    let answer = &operation["responses"][status.to_string()];
    assert!(
        answer.is_object(),
        "{method} {path}: the contract names no answer of status {status} ({code})"
    );
    if code != 0 {
        let named = numbers(answer["description"].as_str().unwrap_or_default());
        assert!(
            named.contains(&code),
            "{method} {path}: the contract does not name {code} under {status}"
        );
    }
}

/// The codes in a description: numbers of four digits.
fn numbers(description: &str) -> BTreeSet<u64> {
    description
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| digits.len() == 4)
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

#[test]
fn what_the_contract_does_not_name_is_noticed() {
    let create = "/api/v1/facial_sign_on/client/create";
    hold("POST", create, 200, 0);
    hold("POST", create, 400, 1006);
    hold("GET", "/nowhere", 404, 1006);
    for (status, code) in [(418, 1006), (400, 1033)] {
        assert!(std::panic::catch_unwind(|| hold("POST", create, status, code)).is_err());
    }
}
