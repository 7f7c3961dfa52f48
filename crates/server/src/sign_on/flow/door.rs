//! The dashboard's own door, a relying site inside this program: it asks as a page does, who learns nothing of whom it asks,
//! and redeems as a backend does.

use std::net::IpAddr;

use uuid::Uuid;

use super::{
    asked::Wanted,
    decoy::nobody,
    origin::Origin,
    outcome::{Proof, redeem, status_by_token},
    refusal::record_refused_request,
    request::{cancel, request},
};
use crate::{
    client::{Client, Email},
    limit::{self, Rule},
    platform::{
        events::Verdict,
        network::Network,
        secret::Secret,
        state::{Shared, State},
    },
    sign_on::{PageStatus, SignOnError},
    site::Site,
};

/// A sign-on that a browser waits for.
pub struct Waiting {
    /// Names it; for this browser's session alone.
    pub token: Secret,
    /// For the page to show, with two digits.
    pub number: Option<i32>,
}

/// Asks somebody's phones, or has the page wait for nobody.
///
/// # Errors
/// [`SignOnError::Limited`] beyond the limits, and what the person said about this network.
pub async fn ask_at_door(
    state: &Shared,
    site: &Site,
    (email, client): (&Email, Option<Client>),
    (ip, user_agent): (IpAddr, String),
) -> Result<Waiting, SignOnError> {
    let subject = format!("{} {}", site.id, Network::from(ip));
    limit::check(state, Rule::PushByIp, subject).await?;
    let is_known = client.is_some();
    let client = client.unwrap_or_else(|| nobody(state, site, email));
    let wanted = Wanted {
        site,
        client: &client,
        is_known,
        learns_why: false,
        with_number: true,
    };
    let origin = Origin {
        ip,
        is_stated: true,
        user_agent,
    };
    let asked = request(state, &wanted, origin).await;
    if let Err(error) = &asked {
        record_refused_request(state, site, &client, error).await;
    }
    let pushed = asked?;
    Ok(Waiting {
        token: pushed.token,
        number: pushed.number,
    })
}

/// Where a sign-on stands.
///
/// # Errors
/// [`SignOnError::NotFound`] for an unknown token.
pub async fn standing_at_door(
    state: &State,
    site: &Site,
    token: &str,
) -> Result<PageStatus, SignOnError> {
    let (sign_on, verdict) = status_by_token(state, site, token).await?;
    Ok(match verdict {
        Some(verdict) => PageStatus::from(&verdict),
        None if sign_on.challenge_hash.is_some() => PageStatus::Scanning,
        None => PageStatus::Pending,
    })
}

/// The client whom a sign-on proves, once.
///
/// # Errors
/// [`SignOnError::SessionInvalid`] where it proves nobody, not any more, or a test identity.
pub async fn redeem_at_door(state: &State, site: &Site, token: &str) -> Result<Uuid, SignOnError> {
    let (sign_on, verdict) = status_by_token(state, site, token).await?;
    let Some(Verdict::Verified {
        client_id,
        session_token: Some(session_token),
        ..
    }) = verdict
    else {
        return Err(SignOnError::SessionInvalid);
    };
    if sign_on.test_identity.is_some() {
        return Err(SignOnError::SessionInvalid);
    }
    let proof = Proof {
        session_token: session_token.reveal(),
        client_id,
        verification_token: Some(token),
    };
    Ok(redeem(state, site, proof).await?.client.id)
}

/// Takes a sign-on back.
///
/// # Errors
/// Where it is over.
pub async fn cancel_at_door(state: &State, site: &Site, token: &str) -> Result<(), SignOnError> {
    cancel(state, site, token).await
}
