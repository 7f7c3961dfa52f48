//! What frames every page, and the policy it travels with.

use askama::Template;
use axum::{
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};

use super::assets::Asset;
use crate::http::error::ApiError;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// What the base template `pages/layout.html` needs; a page's template has it as `layout`.
#[derive(Debug)]
pub struct Layout {
    /// Its style sheets, in their order.
    pub(crate) styles: Vec<&'static Asset>,
    /// Its scripts, which run when the page is there.
    pub(crate) scripts: Vec<&'static Asset>,
}

/// What a page may do beyond showing text in our style. Nothing may be inline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Show images of this server.
    ShowImages,
    /// Send its forms to this server.
    SendForms,
    /// Fetch from this server, and connect to its cable.
    Fetch,
    /// Be installed as an app: name its manifest, and run workers of this server.
    BeInstalled,
    /// Ask the person for the camera.
    UseCamera,
    /// Compile WebAssembly of this server.
    RunEngine,
}

/// What the page may ask the person for: the camera where it says so, and nothing else. Frames of
/// other origins get none of it.
fn permissions(may: &[May]) -> &'static str {
    if may.contains(&May::UseCamera) {
        "camera=(self), microphone=(), geolocation=()"
    } else {
        "camera=(), microphone=(), geolocation=()"
    }
}

impl Layout {
    /// The frame of every page, with nothing in it yet.
    #[must_use]
    pub fn new() -> Self {
        const STYLES: [&Asset; 2] = [
            Asset::named("style/tokens.css"),
            Asset::named("style/base.css"),
        ];
        Self {
            styles: STYLES.to_vec(),
            scripts: Vec::new(),
        }
    }

    /// With another style sheet.
    #[must_use]
    pub fn style(mut self, asset: &'static Asset) -> Self {
        self.styles.push(asset);
        self
    }

    /// With a script, which the page's policy then allows.
    #[must_use]
    pub fn script(mut self, asset: &'static Asset) -> Self {
        self.scripts.push(asset);
        self
    }

    fn policy(&self, may: &[May]) -> String {
        let source = |allowed: bool| if allowed { "'self'" } else { "'none'" };
        let compiles = if may.contains(&May::RunEngine) {
            " 'wasm-unsafe-eval'"
        } else {
            ""
        };
        let may = |what: May| source(may.contains(&what));
        format!(
            "default-src 'none'; style-src 'self'; script-src {}{}; img-src {}; connect-src {}; \
             form-action {}; worker-src {installed}; manifest-src {installed}; base-uri 'none'; \
             frame-ancestors 'none'",
            source(!self.scripts.is_empty()),
            compiles,
            may(May::ShowImages),
            may(May::Fetch),
            may(May::SendForms),
            installed = may(May::BeInstalled),
        )
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self::new()
    }
}

/// A template that extends `pages/layout.html`.
pub trait Page: Template {
    /// The frame that this page stands in.
    fn layout(&self) -> &Layout;

    /// What it may do; nothing unless it says so.
    fn may(&self) -> &'static [May] {
        &[]
    }

    /// The page on its way to the browser.
    ///
    /// # Errors
    /// When the template cannot be filled.
    fn answer(&self, status: StatusCode) -> Result<Response, ApiError> {
        let html = self.render().map_err(|error| ApiError::internal(&error))?;
        let policy = HeaderValue::try_from(self.layout().policy(self.may()))
            .map_err(|error| ApiError::internal(&error))?;
        let headers = [
            (
                CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            ),
            (CONTENT_SECURITY_POLICY, policy),
            (OPENER_POLICY, HeaderValue::from_static("same-origin")),
            (
                PERMISSIONS_POLICY,
                HeaderValue::from_static(permissions(self.may())),
            ),
        ];
        Ok((status, headers, html).into_response())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_do_what_it_says_and_no_more() {
        let plain = Layout::new().policy(&[]);
        assert!(plain.contains("script-src 'none'") && plain.contains("form-action 'none'"));
        let script = Layout::new().script(Asset::named("widget/facial-login.js"));
        let policy = script.policy(&[May::SendForms]);
        assert!(policy.contains("script-src 'self'") && policy.contains("form-action 'self'"));
        assert!(policy.contains("connect-src 'none'") && !policy.contains("unsafe"));
        assert!(policy.contains("worker-src 'none'") && policy.contains("manifest-src 'none'"));
        let policy = script.policy(&[May::RunEngine]);
        assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval';"));
        assert_eq!(permissions(&[May::Fetch]), permissions(&[]));
        assert!(permissions(&[]).contains("camera=()"));
        assert!(permissions(&[May::UseCamera]).contains("camera=(self)"));
    }
}
