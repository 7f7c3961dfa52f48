//! What `make web` bundled for browsers, embedded: under names with the hash of their content, kept
//! for good by whoever fetched them, and some also under names that stay.

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING,
            CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
        },
    },
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{
    http::{error::ApiError, request},
    platform::state::Shared,
};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A file for browsers.
#[derive(Debug)]
pub struct Asset {
    /// Its logical name, such as `widget/facial-login.js`.
    pub name: &'static str,
    /// Its file name with the hash of its content.
    pub file: &'static str,
    /// Its digest as `integrity` attributes have it (Subresource Integrity).
    pub integrity: &'static str,
    /// The media type that it is served as.
    kind: &'static str,
    bytes: &'static [u8],
    /// The same bytes, compressed with gzip.
    zipped: &'static [u8],
}

/// All of them; the build script reads them off `web/build/manifest.json`.
const ALL: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Sites include the widget's files in pages of their own.
const WIDGET: &str = "widget/";

/// The phone app's service worker: its place says which pages it serves (Service Workers, "scope").
const SERVICE_WORKER: &str = "phone/sw.js";

/// The worker that runs the phone's engine.
const ENGINE_WORKER: &str = "phone/engine-worker.js";

/// What browsers know the phone app by, which should not move.
const APP_MANIFEST: &str = "phone/manifest.webmanifest";

impl Asset {
    /// The asset of this logical name. In a `const` a name that does not exist fails to compile.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[allow(clippy::panic, reason = "it ends the compilation, not the program")]
    pub const fn named(name: &str) -> &'static Self {
        let mut at = 0;
        while at < ALL.len() {
            if is_same(ALL[at].name, name) {
                return &ALL[at];
            }
            at += 1;
        }
        panic!("web/build.mjs bundles nothing of this name")
    }

    /// The same for what may be missing, as the phone's engine is where it could not be built.
    #[must_use]
    pub fn perhaps(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|asset| asset.name == name)
    }

    /// Its path on this server; what is there never changes.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/assets/{}", self.file)
    }

    fn is_for_every_site(&self) -> bool {
        self.name.starts_with(WIDGET)
    }

    /// How long what is under the name that stays may be kept; `None` where there is no such name.
    fn caching_under_its_name(&self) -> Option<&'static str> {
        match self.name {
            SERVICE_WORKER | APP_MANIFEST => Some("no-cache"),
            _ if self.is_for_every_site() => {
                Some("public, max-age=300, stale-while-revalidate=86400")
            }
            _ => None,
        }
    }

    /// Workers stand under a policy of their own: what each of ours needs is from here, and compiled from here.
    fn policy(&self) -> Option<&'static str> {
        match self.name {
            SERVICE_WORKER => Some("default-src 'none'; connect-src 'self'"),
            ENGINE_WORKER => {
                Some("default-src 'none'; connect-src 'self'; script-src 'wasm-unsafe-eval'")
            }
            _ => None,
        }
    }

    fn answer(&self, asked: &HeaderMap, caching: &'static str) -> Response {
        let is_zipped = takes_gzip(asked);
        let tag = format!("\"{}{}\"", self.file, if is_zipped { ".gz" } else { "" });
        let is_known = asked.get(IF_NONE_MATCH).is_some_and(|known| {
            let known = known.to_str().unwrap_or_default();
            known
                .split(',')
                .any(|known| known.trim().trim_start_matches("W/") == tag)
        });
        let mut response = if is_known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let bytes = if is_zipped { self.zipped } else { self.bytes };
            let mut response = Body::from(bytes).into_response();
            let kind = HeaderValue::from_static(self.kind);
            response.headers_mut().insert(CONTENT_TYPE, kind);
            if is_zipped {
                let gzip = HeaderValue::from_static("gzip");
                response.headers_mut().insert(CONTENT_ENCODING, gzip);
            }
            response
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(ETAG, tag);
        }
        let whose = if self.is_for_every_site() {
            // Browsers check `integrity` only where the answer may be read across origins.
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            "cross-origin"
        } else {
            "same-origin"
        };
        headers.insert(RESOURCE_POLICY, HeaderValue::from_static(whose));
        if let Some(policy) = self.policy() {
            let policy = HeaderValue::from_static(policy);
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether the asking program unpacks gzip.
fn takes_gzip(asked: &HeaderMap) -> bool {
    asked
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let is_gzip = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
            let is_refused = parts.any(|part| {
                part.strip_prefix("q=")
                    .and_then(|weight| weight.parse::<f32>().ok())
                    .is_some_and(|weight| weight <= 0.0)
            });
            is_gzip && !is_refused
        })
}

/// `/assets/{file}` for what a page names by its hash, and some files under names that stay.
pub(super) fn router() -> Router<Shared> {
    let hashed = Router::new().route("/assets/{file}", get(hashed));
    ALL.iter()
        .filter_map(|asset| Some((asset, asset.caching_under_its_name()?)))
        .fold(hashed, |router, (asset, caching)| {
            let answer = async move |asked: HeaderMap| asset.answer(&asked, caching);
            router.route(&format!("/{}", asset.name), get(answer))
        })
}

async fn hashed(
    Path(file): Path<String>,
    uri: axum::http::Uri,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    match ALL.iter().find(|asset| asset.file == file) {
        Some(asset) => Ok(asset.answer(&asked, "public, max-age=31536000, immutable")),
        None => Err(request::no_route(&uri, &[])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_goes_to_those_who_take_it() {
        let takes = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(text));
            takes_gzip(&headers)
        };
        assert!(takes("gzip, deflate, br") && takes("br;q=1.0, GZIP;q=0.5"));
        assert!(!takes("br") && !takes("gzip;q=0, br") && !takes("x-gzipped"));
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
