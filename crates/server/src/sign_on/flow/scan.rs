//! What the phone does with photos: take up the challenge, answer it, have it decided.

use ::face::liveness::Doubt;
use sea_orm::DbErr;
use uuid::Uuid;

use super::{decided, find_open, overtaken};
use crate::{
    audit::{Action, Entry},
    client::{self, Client},
    device::Device,
    face::{self, Challenge, Photo},
    platform::{
        clock::seconds,
        code::Code,
        db,
        events::{Event, Failing, Verdict},
        secret,
        state::State,
    },
    sign_on::{
        model::{SignOnError, State as Stage, session_token},
        store,
    },
    site::Site,
};

/// Gives the phone its challenge and tells the page that someone scans.
pub(in crate::sign_on) async fn challenge(
    state: &State,
    site: &Site,
    device: &Device,
    id: Uuid,
    without: &[String],
) -> Result<Challenge, SignOnError> {
    let now = state.now();
    let sign_on = find_open(state, device, id).await?;
    client::find(&state.db, site, sign_on.client_id)
        .await?
        .pass(now)?;
    let life = state.settings.sign_on.challenge_lifetime;
    let (challenge, hash) = face::challenge(state, site, without, life)?;
    if !store::give_challenge(&state.db, id, hash, now + seconds(life), now).await? {
        return Err(overtaken(state, device, id).await);
    }
    state.events.publish(&Event::Scanning {
        at: site.for_events(),
        sign_on_id: id,
    });
    Ok(challenge)
}

/// What a phone sent for a sign-on.
pub(in crate::sign_on) struct Scan {
    pub(in crate::sign_on) sign_on_id: Uuid,
    pub(in crate::sign_on) nonce: String,
    pub(in crate::sign_on) number: Option<i32>,
    pub(in crate::sign_on) photos: Vec<Photo>,
}

/// Compares a scan and decides.
pub(in crate::sign_on) async fn verify(
    state: &State,
    site: &Site,
    device: &Device,
    scan: Scan,
) -> Result<(), SignOnError> {
    let now = state.now();
    let sign_on = find_open(state, device, scan.sign_on_id).await?;
    let client = client::find(&state.db, site, sign_on.client_id).await?;
    client.pass(now)?;
    let nonce = secret::hash(&scan.nonce);
    if !sign_on.has_challenge(&nonce, now) {
        return Err(SignOnError::Challenge);
    }
    let attempt = Attempt {
        state,
        site,
        client: &client,
        device,
        id: sign_on.id,
        nonce,
    };
    if sign_on.number.is_some() && scan.number != sign_on.number {
        return Err(attempt.fail(Failing::Number, None).await);
    }
    let probe = face::probe(state, &scan.nonce, scan.photos).await?;
    if let Err(doubt) = probe.liveness {
        return Err(attempt.fail(Failing::Liveness, Some(doubt)).await);
    }
    if !face::matches(state, site, client.id, &probe).await? {
        return Err(attempt.fail(Failing::Face, None).await);
    }
    attempt.succeed().await?;
    face::adapt(state, site, &client, device, sign_on.id, &probe).await;
    Ok(())
}

/// A scan on its way to a verdict.
struct Attempt<'a> {
    state: &'a State,
    site: &'a Site,
    client: &'a Client,
    device: &'a Device,
    id: Uuid,
    nonce: Vec<u8>,
}

impl Attempt<'_> {
    fn entry(&self, action: Action) -> Entry {
        Entry::new(self.site.id, action)
            .client(self.client.id)
            .device(self.device.id)
            .sign_on(self.id)
    }

    async fn succeed(self) -> Result<(), SignOnError> {
        let now = self.state.now();
        let token = session_token(&self.state.keys, self.id);
        let until = now + seconds(self.state.settings.sign_on.session_lifetime);
        let session = (token.hash(), until);
        let transaction = db::begin(&self.state.db).await?;
        let nonce = self.nonce.clone();
        if !store::verify(&transaction, self.id, nonce, self.device, session, now).await? {
            transaction.rollback().await?;
            return Err(overtaken(self.state, self.device, self.id).await);
        }
        client::forgive_failures(&transaction, self.site.id, self.client.id).await?;
        self.entry(Action::SignOnVerified)
            .record(&transaction, now)
            .await?;
        transaction.commit().await?;
        self.publish(Verdict::Verified {
            client_id: self.client.id,
            email: self.client.email.clone(),
            session_token: Some(token),
            at: now,
        });
        Ok(())
    }

    /// Spends a try; what comes back is what the phone is told.
    async fn fail(self, failure: Failing, doubt: Option<Doubt>) -> SignOnError {
        match self.spend(failure, doubt).await {
            Ok(Some(left)) => SignOnError::Refused {
                failure,
                left,
                doubt,
            },
            Ok(None) => overtaken(self.state, self.device, self.id).await,
            Err(error) => error.into(),
        }
    }

    async fn spend(&self, failure: Failing, doubt: Option<Doubt>) -> Result<Option<i32>, DbErr> {
        let now = self.state.now();
        let number = i32::from(Code::from(failure).number());
        let transaction = db::begin(&self.state.db).await?;
        let nonce = self.nonce.clone();
        if !store::spend_try(&transaction, self.id, nonce, number, self.device, now).await? {
            transaction.rollback().await?;
            return Ok(None);
        }
        let rules = &self.state.settings.lock;
        client::record_failure(&transaction, self.site.id, self.client.id, rules, now).await?;
        let mut left = store::find_for_device(&transaction, self.device, self.id)
            .await?
            .map_or(0, |row| row.tries_left);
        if left > 0 && client::is_locked(&transaction, self.site.id, self.client.id, now).await? {
            store::end(
                &transaction,
                self.id,
                Stage::Failed,
                Some(self.device),
                None,
                now,
            )
            .await?;
            left = 0;
        }
        let action = if left == 0 {
            Action::SignOnFailed
        } else {
            Action::TryFailed
        };
        // The owner may read what the phone may not.
        let detail = match doubt {
            Some(doubt) => format!("{number}: {doubt}"),
            None => number.to_string(),
        };
        self.entry(action)
            .detail(detail)
            .record(&transaction, now)
            .await?;
        transaction.commit().await?;
        if left == 0 {
            self.publish(Verdict::Failed(failure));
        } else {
            self.state.events.publish(&Event::Retry {
                at: self.site.for_events(),
                sign_on_id: self.id,
                failure,
                left,
            });
        }
        Ok(Some(left))
    }

    fn publish(&self, verdict: Verdict) {
        decided(self.state, self.site, self.client.id, self.id, verdict);
    }
}
