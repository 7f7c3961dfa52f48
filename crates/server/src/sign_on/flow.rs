//! From push to verdict to proof.

use std::time::Duration;

use bytes::Bytes;
use sea_orm::{ActiveValue::Set, DbErr};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    model::{
        ActiveModel, Choices, SignOn, SignOnError, State as Stage, Watched, draw_numbers,
        failure_number, session_token,
    },
    store,
};
use crate::{
    audit::{Action, Entry},
    client::{self, Client},
    clock::seconds,
    db,
    device::{self, Device},
    events::{Event, Failing, Verdict},
    face::{self, Challenge, FaceError},
    limit::{self, Rule},
    push,
    secret::{self, Secret},
    site::{self, Site},
    state::State,
};

/// Where a sign-on was asked for, ready for display.
pub(super) struct Origin {
    pub(super) ip: std::net::IpAddr,
    pub(super) user_agent: String,
}

pub(super) struct Pushed {
    pub(super) token: Secret,
    pub(super) number: Option<i32>,
}

/// Asks a client's phones for a sign-on.
pub(super) async fn request(
    state: &State,
    client: &Client,
    site: &Site,
    origin: Origin,
    with_number: bool,
) -> Result<Pushed, SignOnError> {
    let now = state.now();
    client.pass(now)?;
    let ip = origin.ip.to_string();
    if let Some(until) = store::frozen_until(&state.db, client.id, &ip, now).await? {
        let seconds = u64::try_from((until - now).num_seconds()).unwrap_or(0);
        return Err(SignOnError::Frozen { seconds });
    }
    if !face::is_enrolled(state, client.id).await? {
        return Err(FaceError::NotEnrolled.into());
    }
    let devices = device::pushable(&state.db, client, now).await?;
    if devices.is_empty() {
        return Err(SignOnError::NoDevice);
    }
    // Last, so that pushes which would not reach the person do not use up theirs.
    let subject = client.id.to_string();
    limit::check(
        &state.db,
        &state.settings.limits,
        now,
        Rule::PushByClient,
        &subject,
    )
    .await?;
    let token = Secret::generate("vt_");
    let id = Uuid::new_v4();
    let (number, choices) = if with_number {
        let (number, choices) = draw_numbers();
        (Some(number), choices)
    } else {
        (None, Choices::default())
    };
    let (browser, os) = describe(&origin.user_agent);
    let row = ActiveModel {
        id: Set(id),
        site_id: Set(site.id),
        client_id: Set(client.id),
        token_hash: Set(token.hash()),
        state: Set(Stage::Pending),
        tries_left: Set(site.settings.tries),
        number: Set(number),
        choices: Set(choices),
        ip: Set(ip),
        user_agent: Set(origin.user_agent),
        browser: Set(browser),
        os: Set(os),
        place: Set(String::new()),
        created_at: Set(now),
        expires_at: Set(now + seconds(state.settings.sign_on.lifetime)),
        ..Default::default()
    };
    let transaction = db::begin(&state.db).await?;
    store::insert(&transaction, row).await?;
    push::enqueue(&transaction, &devices, id, now).await?;
    Entry::new(site.id, Action::SignOnRequested)
        .client(client.id)
        .sign_on(id)
        .from(origin.ip)
        .record(&transaction, now)
        .await?;
    transaction.commit().await?;
    state.bell.ring(client.id);
    Ok(Pushed { token, number })
}

/// Browser and system, for display only.
fn describe(user_agent: &str) -> (String, String) {
    let unknown = |text: &str| text.is_empty() || text == woothee::woothee::VALUE_UNKNOWN;
    let name = |text: &str| if unknown(text) { "" } else { text }.to_owned();
    woothee::parser::Parser::new()
        .parse(user_agent)
        .map(|found| (name(found.name), name(found.os)))
        .unwrap_or_default()
}

async fn site_of(state: &State, device: &Device) -> Result<Site, SignOnError> {
    site::find(&state.db, device.site_id)
        .await?
        .filter(|site| site.disabled_at.is_none())
        .ok_or(SignOnError::NotFound)
}

async fn find_open(state: &State, device: &Device, id: Uuid) -> Result<SignOn, SignOnError> {
    let sign_on = store::find_for_device(&state.db, device, id)
        .await?
        .ok_or(SignOnError::NotFound)?;
    sign_on.open(state.now())?;
    Ok(sign_on)
}

/// Why a step was not taken although the row looked open a moment ago.
async fn overtaken(state: &State, device: &Device, id: Uuid) -> SignOnError {
    match find_open(state, device, id).await {
        Ok(_) => SignOnError::Challenge,
        Err(error) => error,
    }
}

/// Gives the phone its challenge and tells the page that someone scans.
pub(super) async fn challenge(
    state: &State,
    device: &Device,
    id: Uuid,
) -> Result<Challenge, SignOnError> {
    let now = state.now();
    let site = site_of(state, device).await?;
    let sign_on = find_open(state, device, id).await?;
    client::find(&state.db, &site, sign_on.client_id)
        .await?
        .pass(now)?;
    let life = state.settings.sign_on.challenge_lifetime;
    let (challenge, hash) = Challenge::draw(site.settings.liveness, life);
    if !store::give_challenge(&state.db, id, hash, now + seconds(life), now).await? {
        return Err(overtaken(state, device, id).await);
    }
    state.events.publish(&Event::Scanning {
        at: site.place(),
        sign_on_id: id,
    });
    Ok(challenge)
}

/// What a phone sent for a sign-on.
pub(super) struct Scan {
    pub(super) sign_on_id: Uuid,
    pub(super) nonce: String,
    pub(super) number: Option<i32>,
    pub(super) photos: Vec<Bytes>,
}

/// Compares a scan and decides.
pub(super) async fn verify(state: &State, device: &Device, scan: Scan) -> Result<(), SignOnError> {
    let now = state.now();
    let site = site_of(state, device).await?;
    let sign_on = find_open(state, device, scan.sign_on_id).await?;
    let client = client::find(&state.db, &site, sign_on.client_id).await?;
    client.pass(now)?;
    let nonce = secret::hash(&scan.nonce);
    if !sign_on.has_challenge(&nonce, now) {
        return Err(SignOnError::Challenge);
    }
    let attempt = Attempt {
        state,
        site: &site,
        client: &client,
        device,
        id: sign_on.id,
        nonce,
    };
    if sign_on.number.is_some() && scan.number != sign_on.number {
        return Err(attempt.fail(Failing::Number).await);
    }
    let probe = face::probe(state, scan.photos).await?;
    if face::matches(state, &site, client.id, &probe).await? {
        attempt.succeed().await
    } else {
        Err(attempt.fail(Failing::Face).await)
    }
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
    async fn fail(self, failure: Failing) -> SignOnError {
        match self.spend(failure).await {
            Ok(Some(left)) => SignOnError::Refused { failure, left },
            Ok(None) => overtaken(self.state, self.device, self.id).await,
            Err(error) => error.into(),
        }
    }

    async fn spend(&self, failure: Failing) -> Result<Option<i32>, DbErr> {
        let now = self.state.now();
        let number = failure_number(failure);
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
        self.entry(action)
            .detail(number.to_string())
            .record(&transaction, now)
            .await?;
        transaction.commit().await?;
        if left == 0 {
            self.publish(Verdict::Failed(failure));
        } else {
            self.state.events.publish(&Event::Retry {
                at: self.site.place(),
                sign_on_id: self.id,
                failure,
                left,
            });
        }
        Ok(Some(left))
    }

    fn publish(&self, verdict: Verdict) {
        self.state.events.publish(&Event::Decided {
            at: self.site.place(),
            sign_on_id: self.id,
            verdict,
        });
    }
}

/// The person says no; with `report`, also that it was not them who asked.
pub(super) async fn deny(
    state: &State,
    device: &Device,
    id: Uuid,
    report: bool,
) -> Result<(), SignOnError> {
    let now = state.now();
    let site = site_of(state, device).await?;
    let sign_on = find_open(state, device, id).await?;
    let transaction = db::begin(&state.db).await?;
    if !store::end(
        &transaction,
        id,
        Stage::Denied,
        Some(device),
        Some(now),
        now,
    )
    .await?
    {
        transaction.rollback().await?;
        return Err(overtaken(state, device, id).await);
    }
    let action = if report {
        Action::SignOnReported
    } else {
        Action::SignOnDenied
    };
    if report {
        let until = now + seconds(state.settings.sign_on.freeze);
        store::freeze(&transaction, sign_on.client_id, &sign_on.ip, until).await?;
    }
    Entry::new(site.id, action)
        .client(sign_on.client_id)
        .device(device.id)
        .sign_on(id)
        .detail(format!("asked for from {}", sign_on.ip))
        .record(&transaction, now)
        .await?;
    transaction.commit().await?;
    decided(state, &site, id, Verdict::Denied);
    Ok(())
}

fn decided(state: &State, site: &Site, sign_on_id: Uuid, verdict: Verdict) {
    state.events.publish(&Event::Decided {
        at: site.place(),
        sign_on_id,
        verdict,
    });
}

/// The site takes a sign-on back.
pub(super) async fn cancel(state: &State, site: &Site, token: &str) -> Result<(), SignOnError> {
    let now = state.now();
    let sign_on = find_for_site(state, site, token).await?;
    sign_on.open(now)?;
    if !store::end(
        &state.db,
        sign_on.id,
        Stage::Cancelled,
        None,
        Some(now),
        now,
    )
    .await?
    {
        find_for_site(state, site, token).await?.open(now)?;
        return Err(SignOnError::Used);
    }
    Entry::new(site.id, Action::SignOnCancelled)
        .client(sign_on.client_id)
        .sign_on(sign_on.id)
        .record(&state.db, now)
        .await?;
    decided(state, site, sign_on.id, Verdict::Expired);
    Ok(())
}

async fn find_for_site(state: &State, site: &Site, token: &str) -> Result<SignOn, SignOnError> {
    store::find_by_token(&state.db, secret::hash(token))
        .await?
        .filter(|sign_on| sign_on.site_id == site.id)
        .ok_or(SignOnError::NotFound)
}

/// The sign-on a verification token names on this site, and its verdict if there is one.
///
/// # Errors
/// [`SignOnError::NotFound`], also for another site's.
pub(super) async fn status_by_token(
    state: &State,
    site: &Site,
    token: &str,
) -> Result<(SignOn, Option<Verdict>), SignOnError> {
    let sign_on = find_for_site(state, site, token).await?;
    let client = client::find(&state.db, site, sign_on.client_id).await?;
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
    let over = matches!(sign_on.open(state.now()), Err(SignOnError::Expired));
    if over || site_id.is_some_and(|id| id != sign_on.site_id) {
        return Ok(None);
    }
    let site = site::find(&state.db, sign_on.site_id).await?;
    Ok(site
        .filter(|site| site.disabled_at.is_none())
        .map(|site| Watched {
            sign_on_id: sign_on.id,
            channel_prefix: site.channel_prefix,
            needs_site_token: site.settings.cable_token,
        }))
}

/// Whom a redeemed session token proves.
pub(super) struct SessionSubject {
    /// The client.
    pub client: Client,
    /// The attempt.
    pub sign_on: SignOn,
}

/// Redeems a client session token, once, for the site it was made for.
pub(super) async fn redeem(
    state: &State,
    site: &Site,
    token: &str,
    client_id: Uuid,
) -> Result<SessionSubject, SignOnError> {
    let now = state.now();
    let sign_on = store::find_by_session(&state.db, secret::hash(token))
        .await?
        .ok_or(SignOnError::SessionInvalid)?;
    if sign_on.site_id != site.id {
        return Err(SignOnError::SessionOtherSite);
    }
    if sign_on.client_id != client_id || !store::redeem(&state.db, sign_on.id, now).await? {
        return Err(SignOnError::SessionInvalid);
    }
    Entry::new(site.id, Action::SessionRedeemed)
        .client(client_id)
        .sign_on(sign_on.id)
        .record(&state.db, now)
        .await?;
    let client = client::find(&state.db, site, client_id).await?;
    Ok(SessionSubject { client, sign_on })
}

/// How often a waiting phone's inbox is looked at, in case another server put something there.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Open sign-ons of the phone's client; where there is none, waits for one.
pub(super) async fn inbox(
    state: &State,
    device: &Device,
    wait: Duration,
) -> Result<(Site, Vec<SignOn>), SignOnError> {
    let site = site_of(state, device).await?;
    let give_up = Instant::now() + wait;
    loop {
        // Asked for before looking, so that nothing that comes in between is slept through.
        let woken = state.bell.wait(device.client_id);
        let open = store::open_for_device(&state.db, device, state.now()).await?;
        if !open.is_empty() || Instant::now() >= give_up {
            return Ok((site, open));
        }
        let look_again = give_up.min(Instant::now() + LOOK_AGAIN);
        // Woken or not, the next step is to look.
        let _ = tokio::time::timeout_at(look_again, woken).await;
    }
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
        if !store::end(&state.db, sign_on.id, Stage::Expired, None, None, now).await? {
            continue;
        }
        ended += 1;
        Entry::new(sign_on.site_id, Action::SignOnExpired)
            .client(sign_on.client_id)
            .sign_on(sign_on.id)
            .record(&state.db, now)
            .await?;
        if let Some(site) = site::find(&state.db, sign_on.site_id).await? {
            decided(state, &site, sign_on.id, Verdict::Expired);
        }
    }
    Ok(ended)
}
