//! What the demo site remembers of a browser, in its session.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tower_sessions::Session;

use super::backend::Call;
use crate::http::error::{ApiError, ApiResult};

/// Who is signed in, as the API told when the proof was redeemed.
#[derive(Serialize, Deserialize)]
pub(super) struct SignedIn {
    pub(super) email: String,
    /// The claims, as they came.
    pub(super) claims: String,
    pub(super) is_test: bool,
    /// How it came to that.
    pub(super) calls: Vec<Call>,
}

/// A phone that is to be paired.
#[derive(Serialize, Deserialize)]
pub(super) struct Pairing {
    pub(super) email: String,
    pub(super) link: String,
    /// A PNG in base64.
    pub(super) code: String,
    pub(super) calls: Vec<Call>,
}

/// A sign-on that was asked for.
#[derive(Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) email: String,
    pub(super) verification_token: String,
    /// The number that its page shows.
    pub(super) number: Option<u64>,
    pub(super) calls: Vec<Call>,
}

/// A sentence to show once.
#[derive(Serialize, Deserialize)]
pub(super) struct Problem(pub(super) String);

/// Something that is remembered under a name of its own.
pub(super) trait Remembered: Serialize + DeserializeOwned + Send + Sync {
    const NAME: &'static str;
}

impl Remembered for SignedIn {
    const NAME: &'static str = "demo.signed_in";
}
impl Remembered for Pairing {
    const NAME: &'static str = "demo.pairing";
}
impl Remembered for Asked {
    const NAME: &'static str = "demo.asked";
}
impl Remembered for Problem {
    const NAME: &'static str = "demo.problem";
}

/// A browser of the demo site.
pub(super) struct Visitor(pub(super) Session);

impl Visitor {
    pub(super) async fn find<T: Remembered>(&self) -> ApiResult<Option<T>> {
        let found = self.0.get(T::NAME).await;
        found.map_err(|error| ApiError::internal(&error))
    }

    pub(super) async fn take<T: Remembered>(&self) -> ApiResult<Option<T>> {
        let found = self.0.remove(T::NAME).await;
        found.map_err(|error| ApiError::internal(&error))
    }

    pub(super) async fn remember<T: Remembered>(&self, what: &T) -> ApiResult<()> {
        let kept = self.0.insert(T::NAME, what).await;
        kept.map_err(|error| ApiError::internal(&error))
    }

    /// Signs in, under a new name of the session: one that was known before is worth nothing.
    pub(super) async fn sign_in(&self, who: &SignedIn) -> ApiResult<()> {
        let renamed = self.0.cycle_id().await;
        renamed.map_err(|error| ApiError::internal(&error))?;
        self.remember(who).await
    }

    pub(super) async fn forget(&self) -> ApiResult<()> {
        let gone = self.0.flush().await;
        gone.map_err(|error| ApiError::internal(&error))
    }
}
