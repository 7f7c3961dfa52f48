//! The verdicts of test identities, through the steps that a phone's answer takes. Every step needs a
//! [`TestClient`], which a live site cannot have.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use sea_orm::DbErr;
use uuid::Uuid;

use super::{answerer::Answerer, decided, scan::Attempt};
use crate::{
    audit::{Action, Entry},
    client::{self, TestClient, TestIdentity},
    face::FaceError,
    platform::{
        clock::seconds,
        db,
        events::{Event, Failing, Verdict},
        issued::Issued,
        secret::Secret,
        state::{Shared, State},
    },
    sign_on::{
        model::{SignOn, SignOnError, State as Stage},
        store,
    },
    site,
    webhook::{Message, Topic},
};

/// How long a test identity takes to answer: a page shows that it waits.
const ANSWERS_AFTER: Duration = Duration::from_millis(250);

/// How old a sign-on is before any server gives the verdict that the one which was asked did not give.
const GRACE: TimeDelta = TimeDelta::seconds(1);

/// Has a test identity answer in a moment. Should this server stop before that,
/// [`answer_overdue`] does it.
pub(super) fn answer_soon(state: &Shared, site_id: Uuid, sign_on_id: Uuid) {
    let state = Arc::downgrade(state);
    tokio::spawn(async move {
        tokio::time::sleep(ANSWERS_AFTER).await;
        let Some(state) = state.upgrade() else { return };
        if let Err(error) = answer(&state, site_id, sign_on_id).await {
            tracing::warn!(%error, %sign_on_id, "a test identity could not answer; it will again");
        }
    });
}

/// Gives the verdicts of test identities that nobody gave in time. Of several servers one gives each.
///
/// # Errors
/// When the database fails.
pub async fn answer_overdue(state: &State) -> Result<(), DbErr> {
    let since = state.now() - GRACE;
    for (site_id, id) in store::waiting_for_test_identities(&state.db, since).await? {
        match answer(state, site_id, id).await {
            Err(SignOnError::Database(error)) => return Err(error),
            Err(error) => tracing::warn!(%error, sign_on_id = %id, "a test identity cannot answer"),
            Ok(()) => {}
        }
    }
    Ok(())
}

async fn answer(state: &State, site_id: Uuid, id: Uuid) -> Result<(), SignOnError> {
    let Some(site) = site::find_enabled(&state.db, site_id).await? else {
        return Ok(());
    };
    let Some(sign_on) = waiting(state, site_id, id).await? else {
        return Ok(());
    };
    let client = client::find(&state.db, &site, sign_on.client_id).await?;
    // The site may have gone live since it asked: then nobody answers, and time runs out.
    let Some(test) = TestClient::of(&site, &client) else {
        return Ok(());
    };
    match test.identity() {
        TestIdentity::Approve => match take_up(state, test, &sign_on).await? {
            Some(nonce) => attempt(state, test, id, nonce).succeed().await,
            None => Ok(()),
        },
        TestIdentity::WrongFace => fail_every_try(state, test, sign_on).await,
        TestIdentity::Deny => end(state, test, id, Verdict::Denied).await,
        TestIdentity::Expire => end(state, test, id, Verdict::Expired).await,
        TestIdentity::NoDevice => Ok(()),
    }
}

/// The sign-on, if it was asked of a test identity and waits.
async fn waiting(state: &State, site_id: Uuid, id: Uuid) -> Result<Option<SignOn>, DbErr> {
    let row = store::find_on_site(&state.db, site_id, id).await?;
    Ok(row.filter(|row| row.test_identity.is_some() && row.open(state.now()).is_ok()))
}

/// Takes up the challenge, as a phone does before it answers; `None` when another server is faster.
/// What comes back is the hash of its nonce.
async fn take_up(
    state: &State,
    test: TestClient<'_>,
    sign_on: &SignOn,
) -> Result<Option<Vec<u8>>, SignOnError> {
    // One that a server took up which then stopped is answered as it is: the answer spends it, once.
    if let Some(nonce) = &sign_on.challenge_hash {
        return Ok(Some(nonce.clone()));
    }
    let now = state.now();
    let until = now + seconds(state.settings.sign_on.challenge_lifetime);
    let nonce = Secret::generate("");
    let issued = Issued::new(&state.keys, sign_on.id, nonce.reveal(), now, until)
        .map_err(FaceError::from)?;
    let hash = issued.hash.clone();
    let transaction = db::begin(&state.db).await?;
    // Nobody is scanned, so nothing is asked of them.
    if !store::give_challenge(&transaction, sign_on.id, (issued, None), now).await? {
        transaction.rollback().await?;
        return Ok(None);
    }
    record(test, sign_on.id, Action::ChallengeGiven)
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    state.events.publish(&Event::Scanning {
        at: test.site().for_events(),
        sign_on_id: sign_on.id,
    });
    Ok(Some(hash))
}

fn attempt<'a>(state: &'a State, test: TestClient<'a>, id: Uuid, nonce: Vec<u8>) -> Attempt<'a> {
    Attempt {
        state,
        site: test.site(),
        client: test.client(),
        by: Answerer::Test(test),
        id,
        nonce,
    }
}

async fn fail_every_try(
    state: &State,
    test: TestClient<'_>,
    sign_on: SignOn,
) -> Result<(), SignOnError> {
    let id = sign_on.id;
    let mut next = Some(sign_on);
    while let Some(sign_on) = next {
        let Some(nonce) = take_up(state, test, &sign_on).await? else {
            break;
        };
        let attempt = attempt(state, test, id, nonce);
        next = match attempt.spend(Failing::Face, "").await? {
            Some(1..) => waiting(state, test.site().id, id).await?,
            _ => None,
        };
    }
    Ok(())
}

async fn end(
    state: &State,
    test: TestClient<'_>,
    id: Uuid,
    verdict: Verdict,
) -> Result<(), SignOnError> {
    let now = state.now();
    let (stage, action, topic) = match verdict {
        Verdict::Denied => (Stage::Denied, Action::SignOnDenied, Topic::SignOnDenied),
        _ => (Stage::Expired, Action::SignOnExpired, Topic::SignOnExpired),
    };
    let transaction = db::begin(&state.db).await?;
    if !store::end(&transaction, id, stage, None, Some(now), now).await? {
        transaction.rollback().await?;
        return Ok(());
    }
    Message::new(test.site().id, topic, test.id())
        .sign_on(id, true)
        .enqueue(&transaction, now)
        .await?;
    record(test, id, action)
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    decided(state, test.site(), test.id(), id, verdict);
    Ok(())
}

fn record(test: TestClient<'_>, id: Uuid, action: Action) -> Entry {
    Entry::new(test.site().id, action)
        .client(test.id())
        .sign_on(id)
        .detail(Answerer::Test(test).note(""))
}
