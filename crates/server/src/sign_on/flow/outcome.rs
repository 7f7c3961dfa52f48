//! What becomes of a sign-on: who may watch it, who may redeem it, and its end when nobody answers.

use sea_orm::DbErr;
use uuid::Uuid;

use super::{decided, decoy, find_for_site, refusal::record_refused_redemption};
use crate::{
    audit::{Action, Entry},
    client::{self, Client},
    platform::{db, events::Verdict, secret, state::State},
    sign_on::{
        model::{SignOn, SignOnError, State as Stage, Watched},
        store,
    },
    site::{self, Site, TestSite},
    webhook::Topic,
};

/// The sign-on a verification token names on this site, and its verdict if there is one.
///
/// # Errors
/// [`SignOnError::NotFound`], also for another site's.
pub(in crate::sign_on) async fn status_by_token(
    state: &State,
    site: &Site,
    token: &str,
) -> Result<(SignOn, Option<Verdict>), SignOnError> {
    let sign_on = find_for_site(state, site, token).await?;
    let client = decoy::client_of(state, site, &sign_on).await?;
    let verdict = sign_on.verdict(&client, &state.keys, state.now());
    Ok((sign_on, verdict))
}

/// The sign-on a verification token names, whatever its site, and its verdict if there is one.
///
/// # Errors
/// [`SignOnError::NotFound`] for an unknown token.
pub async fn find_watched(
    state: &State,
    token: &str,
) -> Result<(SignOn, Option<Verdict>), SignOnError> {
    let sign_on = store::find_by_token(&state.db, secret::hash(token))
        .await?
        .ok_or(SignOnError::NotFound)?;
    let site = site::find(&state.db, sign_on.site_id)
        .await?
        .ok_or(SignOnError::NotFound)?;
    status_by_token(state, &site, token).await
}

/// Which sign-on the holder of a verification token may watch; `None` for an unknown token, one
/// that expired without a verdict, or one of another site than `site_id`.
///
/// # Errors
/// When the database fails.
pub async fn watch(
    state: &State,
    token: &str,
    site_id: Option<Uuid>,
) -> Result<Option<Watched>, DbErr> {
    let Some(sign_on) = store::find_by_token(&state.db, secret::hash(token)).await? else {
        return Ok(None);
    };
    let now = state.now();
    // One that was taken back is still told so, while its token would have lived.
    let over = sign_on.expires_at <= now && matches!(sign_on.open(now), Err(SignOnError::Expired));
    if over || site_id.is_some_and(|id| id != sign_on.site_id) {
        return Ok(None);
    }
    let site = site::find_enabled(&state.db, sign_on.site_id).await?;
    Ok(site.map(|site| Watched {
        sign_on_id: sign_on.id,
        site,
    }))
}

/// The client and the hash of the verification token of a site's sign-on; of a decoy there is nothing to tell.
///
/// # Errors
/// When the database fails.
pub async fn client_and_token(
    state: &State,
    site_id: Uuid,
    id: Uuid,
) -> Result<Option<(Uuid, Vec<u8>)>, DbErr> {
    let row = store::find_on_site(&state.db, site_id, id).await?;
    Ok(row
        .filter(|row| !row.decoy)
        .map(|row| (row.client_id, row.token_hash)))
}

/// Whom a redeemed session token proves.
pub(in crate::sign_on) struct SessionSubject {
    /// The client who signed on.
    pub client: Client,
    /// The sign-on that the token came from.
    pub sign_on: SignOn,
}

/// What a backend brings to have a sign-on redeemed.
pub(in crate::sign_on) struct Proof<'a> {
    /// What the page was given with the verdict.
    pub session_token: &'a str,
    /// Whom it must prove.
    pub client_id: Uuid,
    /// Which sign-on it must come from, where the backend says so.
    pub verification_token: Option<&'a str>,
}

impl Proof<'_> {
    /// Whether it is of this sign-on, this client and, if stated, this verification token.
    fn is_of(&self, sign_on: &SignOn) -> bool {
        let asked_for = self
            .verification_token
            .is_none_or(|token| secret::same(&sign_on.token_hash, &secret::hash(token)));
        asked_for && sign_on.client_id == self.client_id
    }
}

/// Redeems a client session token, once, for the site it was made for. One that does not fit what
/// else is brought is refused and not used up.
pub(in crate::sign_on) async fn redeem(
    state: &State,
    site: &Site,
    proof: Proof<'_>,
) -> Result<SessionSubject, SignOnError> {
    let sign_on = store::find_by_session(&state.db, secret::hash(proof.session_token)).await?;
    let redeemed = match &sign_on {
        Some(sign_on) => try_redeem(state, site, &proof, sign_on).await,
        None => Err(SignOnError::SessionInvalid),
    };
    if let Err(error) = &redeemed
        && matches!(
            error,
            SignOnError::SessionInvalid | SignOnError::SessionOtherSite
        )
    {
        let claimed = proof.client_id;
        record_refused_redemption(state, site, claimed, sign_on.as_ref(), error).await;
    }
    redeemed
}

async fn try_redeem(
    state: &State,
    site: &Site,
    proof: &Proof<'_>,
    sign_on: &SignOn,
) -> Result<SessionSubject, SignOnError> {
    let now = state.now();
    if sign_on.site_id != site.id {
        return Err(SignOnError::SessionOtherSite);
    }
    // A test counts for nothing on a site that has gone live since.
    if sign_on.test_identity.is_some() && TestSite::of(site).is_none() {
        return Err(SignOnError::SessionInvalid);
    }
    if !proof.is_of(sign_on) {
        return Err(SignOnError::SessionInvalid);
    }
    let transaction = db::begin(&state.db).await?;
    if !store::redeem(&transaction, sign_on.id, now).await? {
        transaction.rollback().await?;
        return Err(SignOnError::SessionInvalid);
    }
    Entry::new(site.id, Action::SessionRedeemed)
        .client(sign_on.client_id)
        .sign_on(sign_on.id)
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    let client = client::find(&state.db, site, sign_on.client_id).await?;
    Ok(SessionSubject {
        client,
        sign_on: sign_on.clone(),
    })
}

/// Ends every attempt whose time ran out and tells the pages. Of several servers only one ends
/// each.
///
/// # Errors
/// When the database fails.
pub async fn expire_due(state: &State) -> Result<usize, DbErr> {
    let now = state.now();
    let mut ended = 0;
    for sign_on in store::overdue(&state.db, now).await? {
        let transaction = db::begin(&state.db).await?;
        if !store::end(&transaction, sign_on.id, Stage::Expired, None, None, now).await? {
            transaction.rollback().await?;
            continue;
        }
        sign_on
            .message(Topic::SignOnExpired)
            .enqueue(&transaction, now)
            .await?;
        sign_on
            .entry(Action::SignOnExpired)
            .record(&transaction, &state.keys, now)
            .await?;
        transaction.commit().await?;
        ended += 1;
        if let Some(site) = site::find(&state.db, sign_on.site_id).await? {
            let client_id = sign_on.client_id;
            decided(state, &site, client_id, sign_on.id, Verdict::Expired);
        }
    }
    Ok(ended)
}
