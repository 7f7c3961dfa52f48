//! `/dev/mail`: the letters that were printed in the terminal, for whoever develops on this machine. Their links open
//! accounts, so nobody else may see them: not without the key that the terminal says, not through a proxy, not by a name
//! that somebody else gave this machine.

use askama::Template;
use axum::{
    extract::{Extension, State},
    http::{HeaderMap, StatusCode, Uri, header::HOST},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use url::Url;

use super::{
    dashboard::{When, layout},
    layout::{Layout, Page},
};
use crate::{
    dashboard_pages,
    http::{error::ApiResult, extract::Query, request, socket::Peer},
    platform::{
        config::is_this_machine,
        mail::Shown,
        state::{Shared, State as AppState},
    },
};

#[derive(Template)]
#[template(path = "pages/dev_mail.html")]
struct DevMail {
    layout: Layout,
    letters: Vec<(Shown, When)>,
}

dashboard_pages!(DevMail);

/// Headers by which proxies say for whom they ask.
const FORWARDED: [&str; 5] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "via",
];

/// Whether a browser on this machine asks, by a name of this machine.
fn is_at_home(peer: Peer, headers: &HeaderMap) -> bool {
    let Peer::Address(ip) = peer else {
        return false;
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let url = host.and_then(|host| Url::parse(&format!("http://{host}")).ok());
    ip.to_canonical().is_loopback()
        && url.is_some_and(|url| url.host_str().is_some_and(is_this_machine))
        && FORWARDED.iter().all(|name| !headers.contains_key(*name))
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    key: String,
}

pub(super) async fn page(
    State(state): State<Shared>,
    Extension(peer): Extension<Peer>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    uri: Uri,
) -> ApiResult<Response> {
    let shelf = state.post.shelf().filter(|_| is_at_home(peer, &headers));
    match shelf.and_then(|shelf| shelf.letters(&asked.key)) {
        Some(letters) => show(&state, letters),
        None => Ok(request::no_route(&uri, &[]).into_response()),
    }
}

fn show(state: &AppState, letters: Vec<Shown>) -> ApiResult<Response> {
    let now = state.now();
    let dated = |letter: Shown| {
        let at = When::new(letter.at, now);
        (letter, at)
    };
    let page = DevMail {
        layout: layout(),
        letters: letters.into_iter().map(dated).collect(),
    };
    page.answer(StatusCode::OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_shown_to_this_machine_alone() {
        let asked = |peer: &str, given: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.insert(*name, value.parse().unwrap());
            }
            is_at_home(Peer::Address(peer.parse().unwrap()), &headers)
        };
        for host in [
            "127.0.0.1:3000",
            "localhost:3000",
            "[::1]:3000",
            "localhost",
        ] {
            assert!(asked("127.0.0.1", &[("host", host)]), "{host}");
        }
        assert!(asked("::1", &[("host", "localhost")]));
        assert!(!asked("127.0.0.1", &[]));
        assert!(!asked("192.168.0.7", &[("host", "localhost")]));
        for host in [
            "evil.example:3000",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "192.168.0.7",
            "a b",
        ] {
            assert!(!asked("127.0.0.1", &[("host", host)]), "{host}");
        }
        for name in FORWARDED {
            assert!(
                !asked("127.0.0.1", &[("host", "localhost"), (name, "x")]),
                "{name}"
            );
        }
        assert!(!is_at_home(Peer::Proxy, &HeaderMap::new()));
    }
}
