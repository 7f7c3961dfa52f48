//! The person's browser, as the site's backend describes it.

use std::net::IpAddr;

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::{
    http::{
        error::ApiError,
        forwarded::Origin,
        request::{header_text, origin},
    },
    platform::state::Shared,
};

/// Where a sign-on was asked for, for the login tracker, the limits and the phone's question.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The person's address, or while that is not known, who speaks for them.
    pub ip: IpAddr,
    /// Whether `ip` is the person's.
    pub is_stated: bool,
    /// The browser's `User-Agent`, empty where it sends none.
    pub user_agent: String,
}

impl Visitor {
    /// What the connection itself says, for callers who are pages.
    #[must_use]
    pub fn of_page(parts: &Parts, origin: Origin) -> Self {
        Self {
            ip: origin.caller,
            is_stated: true,
            user_agent: header_text(&parts.headers, "user-agent")
                .unwrap_or_default()
                .to_owned(),
        }
    }

    /// What the headers say. Only a backend may be believed: it must have shown the site's token.
    #[must_use]
    pub fn of_backend(parts: &Parts, origin: Origin) -> Self {
        let agent = header_text(&parts.headers, "x-browser-user-agent")
            .or_else(|| header_text(&parts.headers, "user-agent"));
        Self {
            ip: origin.stated.unwrap_or(origin.caller),
            is_stated: origin.stated.is_some(),
            user_agent: agent.unwrap_or_default().to_owned(),
        }
    }
}

/// For routes of [`SignOnToken`](super::SignOnToken), which is checked beside this.
impl FromRequestParts<Shared> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let origin = origin(parts, state).await?;
        Ok(Self::of_backend(parts, origin))
    }
}
