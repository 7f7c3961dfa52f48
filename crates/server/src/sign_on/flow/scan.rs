//! What the phone does with photos: take up the challenge, answer it, have it decided.

use ::face::{Purpose, liveness::Doubt};
use sea_orm::DbErr;
use uuid::Uuid;

use super::{answerer::Answerer, decided, find_open, overtaken};
use crate::{
    audit::{Action, Entry},
    client::{self, Client},
    device::{self, Device},
    face::{self, Answer, Challenge, FaceError, Photo},
    platform::{
        clock::seconds,
        code::Code,
        db,
        events::{Event, Failing, Verdict},
        secret,
        state::State,
    },
    push,
    sign_on::{
        model::{SignOn, SignOnError, State as Stage, session_token},
        store,
    },
    site::Site,
    webhook::{Message, Topic},
};

/// Gives the phone its challenge and tells the page that someone scans. One challenge a try: it stays the
/// same until it is answered, and one that was let go by is a failed try.
pub(in crate::sign_on) async fn challenge(
    state: &State,
    site: &Site,
    device: &Device,
    id: Uuid,
) -> Result<Challenge, SignOnError> {
    let now = state.now();
    let sign_on = find_open(state, device, id).await?;
    let client = client::find(&state.db, site, sign_on.client_id).await?;
    device::pass(device, &client, now)?;
    if let Some(again) = in_force(state, &sign_on)? {
        return Ok(again);
    }
    if let Some(nonce) = sign_on.challenge_hash {
        let attempt = Attempt {
            state,
            site,
            client: &client,
            by: Answerer::Phone(device),
            id,
            nonce,
        };
        let late = "the challenge was not answered in time";
        match attempt.spend(Failing::Liveness, late).await? {
            None => return Err(overtaken(state, site, id).await),
            Some(left) if left < 1 => {
                return Err(SignOnError::Refused {
                    failure: Failing::Liveness,
                    left,
                    doubt: None,
                });
            }
            Some(_) => {}
        }
    }
    let (challenge, issued) = face::challenge(state, site, device, id)?;
    let transaction = db::begin(&state.db).await?;
    let given = (issued, Some(challenge.liveness));
    if !store::give_challenge(&transaction, id, given, now).await? {
        transaction.rollback().await?;
        // Another request was faster: its challenge is the one.
        let sign_on = find_open(state, device, id).await?;
        return in_force(state, &sign_on)?.ok_or(SignOnError::Challenge);
    }
    push::note_opened(&transaction, device, id, now).await?;
    Entry::new(site.id, Action::ChallengeGiven)
        .client(client.id)
        .device(device.id)
        .sign_on(id)
        .detail(challenge.asked())
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    state.events.publish(&Event::Scanning {
        at: site.for_events(),
        sign_on_id: id,
    });
    Ok(challenge)
}

/// The challenge that waits for an answer.
fn in_force(state: &State, sign_on: &SignOn) -> Result<Option<Challenge>, FaceError> {
    let (Some(_), Some(until)) = (&sign_on.challenge_hash, sign_on.challenge_until) else {
        return Ok(None);
    };
    if until <= state.now() {
        return Ok(None);
    }
    let sealed = sign_on.challenge_sealed.as_deref();
    face::challenge_given(state, sign_on.id, sealed, until).map(Some)
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
    device::pass(device, &client, now)?;
    let nonce = secret::hash(&scan.nonce);
    if !sign_on.has_challenge(&nonce, now) {
        return Err(SignOnError::Challenge);
    }
    let attempt = Attempt {
        state,
        site,
        client: &client,
        by: Answerer::Phone(device),
        id: sign_on.id,
        nonce,
    };
    if sign_on.number.is_some() {
        let number = scan.number.ok_or(SignOnError::NumberMissing)?;
        if Some(number) != sign_on.number {
            return Err(attempt.fail(Failing::Number, None).await);
        }
    }
    let answer = Answer {
        site,
        device,
        nonce: &scan.nonce,
        asked_at: sign_on.challenge_at,
        photos: scan.photos,
        purpose: Purpose::Comparison,
    };
    let probe = face::probe(state, answer).await?;
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
pub(super) struct Attempt<'a> {
    pub(super) state: &'a State,
    pub(super) site: &'a Site,
    pub(super) client: &'a Client,
    pub(super) by: Answerer<'a>,
    pub(super) id: Uuid,
    /// The hash of the nonce that the answer spends.
    pub(super) nonce: Vec<u8>,
}

impl Attempt<'_> {
    fn entry(&self, action: Action) -> Entry {
        let entry = Entry::new(self.site.id, action)
            .client(self.client.id)
            .sign_on(self.id)
            .detail(self.by.note(""));
        match self.by.device_id() {
            Some(device_id) => entry.device(device_id),
            None => entry,
        }
    }

    fn message(&self, topic: Topic) -> Message {
        Message::new(self.site.id, topic, self.client.id)
            .sign_on(self.id, self.by.is_test())
            .device(self.by.device_id())
    }

    /// Ends it well.
    pub(super) async fn succeed(self) -> Result<(), SignOnError> {
        let now = self.state.now();
        let token = session_token(&self.state.keys, self.id, self.by.is_test());
        let until = now + seconds(self.state.settings.sign_on.session_lifetime);
        let session = (token.hash(), until);
        let transaction = db::begin(&self.state.db).await?;
        let nonce = self.nonce.clone();
        let device_id = self.by.device_id();
        if !store::verify(&transaction, self.id, nonce, device_id, session, now).await? {
            transaction.rollback().await?;
            return Err(overtaken(self.state, self.site, self.id).await);
        }
        client::forgive_failures(&transaction, self.site.id, self.client.id).await?;
        if let Answerer::Phone(device) = self.by {
            device::note_match(&transaction, device, now).await?;
        }
        self.message(Topic::SignOnVerified)
            .enqueue(&transaction, now)
            .await?;
        self.entry(Action::SignOnVerified)
            .record(&transaction, &self.state.keys, now)
            .await?;
        transaction.commit().await?;
        self.publish(Verdict::Verified {
            client_id: self.client.id,
            email: self.client.email.clone(),
            session_token: Some(token),
            at: now,
            test: self.by.is_test(),
        });
        Ok(())
    }

    /// Spends a try; what comes back is what the phone is told.
    async fn fail(self, failure: Failing, doubt: Option<Doubt>) -> SignOnError {
        // The owner may read what the phone may not.
        let why = doubt.map(|doubt| doubt.to_string()).unwrap_or_default();
        match self.spend(failure, &why).await {
            Ok(Some(left)) => SignOnError::Refused {
                failure,
                left,
                doubt,
            },
            Ok(None) => overtaken(self.state, self.site, self.id).await,
            Err(error) => error.into(),
        }
    }

    /// Spends a try: how many are left, or `None` where another answer was faster.
    pub(super) async fn spend(&self, failure: Failing, why: &str) -> Result<Option<i32>, DbErr> {
        let now = self.state.now();
        let number = i32::from(Code::from(failure).number());
        let transaction = db::begin(&self.state.db).await?;
        let nonce = self.nonce.clone();
        let device_id = self.by.device_id();
        let spent = store::Spent {
            nonce_hash: nonce,
            failure: number,
            // A second guess would double the chance.
            is_final: failure == Failing::Number,
        };
        if !store::spend_try(&transaction, self.id, spent, device_id, now).await? {
            transaction.rollback().await?;
            return Ok(None);
        }
        let may_go_on = match self.by {
            Answerer::Phone(device) => {
                device::record_failure(&transaction, self.state, device, now).await?
            }
            Answerer::Test(_) => true,
        };
        let mut left = store::find_on_site(&transaction, self.site.id, self.id)
            .await?
            .map_or(0, |row| row.tries_left);
        if left > 0 && !may_go_on {
            store::end(&transaction, self.id, Stage::Failed, device_id, None, now).await?;
            left = 0;
        }
        let action = if left == 0 {
            Action::SignOnFailed
        } else {
            Action::TryFailed
        };
        if left == 0 {
            self.message(Topic::SignOnFailed)
                .code(failure.into())
                .enqueue(&transaction, now)
                .await?;
        }
        let detail = match why {
            "" => number.to_string(),
            why => format!("{number}: {why}"),
        };
        self.entry(action)
            .detail(self.by.note(&detail))
            .record(&transaction, &self.state.keys, now)
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
