//! What the site does: ask for a sign-on, take it back.

use sea_orm::{ActiveValue::Set, DatabaseTransaction, DbErr};
use uuid::Uuid;

use super::{
    answerer::Answerer,
    decided,
    fatigue::{self, PUSHES_LOOKED_AT},
    find_for_site,
    origin::Origin,
    test_answer,
};
use crate::{
    audit::{Action, Entry},
    client::{Client, TestClient, TestIdentity},
    device::{self, Device},
    face,
    face::FaceError,
    limit::{self, Limited, Rule},
    platform::{
        clock::{Moment, seconds},
        db,
        events::{Event, Verdict},
        secret::Secret,
        state::{Shared, State},
    },
    push,
    sign_on::{
        freezes,
        model::{ActiveModel, Choices, SignOnError, State as Stage, draw_number},
        store,
    },
    site::Site,
};

pub(in crate::sign_on) struct Pushed {
    pub(in crate::sign_on) token: Secret,
    pub(in crate::sign_on) number: Option<i32>,
}

/// Asks a client's phones for a sign-on.
pub(in crate::sign_on) async fn request(
    state: &Shared,
    client: &Client,
    site: &Site,
    origin: Origin,
    with_number: bool,
) -> Result<Pushed, SignOnError> {
    let now = state.now();
    client.pass(now)?;
    let test = TestClient::of(site, client);
    let asked = match test {
        Some(test) => Asked::of_test(test)?,
        None => Asked::of_person(state, client, &origin, now).await?,
    };
    let with_number = with_number || asked.needs_number;
    let token = Secret::generate(if test.is_some() { "vt_test_" } else { "vt_" });
    let id = Uuid::new_v4();
    let (number, choices) = if with_number {
        let (number, choices) = draw_number();
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
        ip: Set(origin.address()),
        user_agent: Set(origin.user_agent),
        browser: Set(browser),
        os: Set(os),
        place: Set(String::new()),
        created_at: Set(now),
        expires_at: Set(now + seconds(state.settings.sign_on.lifetime)),
        test_identity: Set(test.map(TestClient::identity)),
        ..Default::default()
    };
    let transaction = db::begin(&state.db).await?;
    let superseded = supersede(&transaction, state, &row).await?;
    store::insert(&transaction, row).await?;
    if !asked.devices.is_empty() {
        push::enqueue(&transaction, &asked.devices, id, now).await?;
    }
    let note = test.map(|test| Answerer::Test(test).note(""));
    Entry::new(site.id, Action::SignOnRequested)
        .client(client.id)
        .sign_on(id)
        .from(origin.ip)
        .detail(note.unwrap_or_default())
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    for older in superseded {
        decided(state, site, client.id, older, Verdict::Expired);
    }
    state.wake_ups.wake(client.id);
    state.events.publish(&Event::Asked {
        at: site.for_events(),
        client_id: client.id,
        sign_on_id: id,
    });
    if test.is_some() {
        test_answer::answer_soon(state, site.id, id);
    }
    Ok(Pushed { token, number })
}

/// Whom a sign-on is asked of.
struct Asked {
    devices: Vec<Device>,
    needs_number: bool,
}

impl Asked {
    /// A person, who must have a face and a phone, and not too many sign-ons.
    async fn of_person(
        state: &State,
        client: &Client,
        origin: &Origin,
        now: Moment,
    ) -> Result<Self, SignOnError> {
        let frozen = freezes::frozen_until(&state.db, client.id, &origin.network(), now).await?;
        if let Some(until) = frozen.filter(|_| origin.is_stated) {
            let seconds = u64::try_from((until - now).num_seconds()).unwrap_or(0);
            return Err(SignOnError::Frozen { seconds });
        }
        if !face::is_enrolled(state, client.id).await? {
            return Err(FaceError::NotEnrolled.into());
        }
        let devices = device::pushable(&state.db, client.site_id, client.id, now).await?;
        if devices.is_empty() {
            return Err(SignOnError::NoDevice);
        }
        pause(state, client, origin, now).await?;
        // Last, so that pushes which would not reach the person do not use up theirs.
        let subject = client.id.to_string();
        limit::check(state, Rule::PushByClient, subject).await?;
        Ok(Self {
            devices,
            // Refusing a backend that does not say for whom it asks would lock the person out.
            needs_number: frozen.is_some(),
        })
    }

    /// A test identity, which has no phone that could be bothered.
    fn of_test(test: TestClient<'_>) -> Result<Self, SignOnError> {
        if test.identity() == TestIdentity::NoDevice {
            return Err(SignOnError::NoDevice);
        }
        Ok(Self {
            devices: Vec::new(),
            needs_number: false,
        })
    }
}

/// Holds a push back that comes too soon after many that came to nothing.
async fn pause(
    state: &State,
    client: &Client,
    origin: &Origin,
    now: Moment,
) -> Result<(), SignOnError> {
    let lately = store::latest(&state.db, client, PUSHES_LOOKED_AT).await?;
    let network = origin.network();
    let free = state.settings.sign_on.pushes_before_pause;
    match fatigue::pause(&lately, &network, free, now) {
        None => Ok(()),
        Some(left) => Err(Limited::Over {
            rule: Rule::PushByClient,
            retry_after: left,
        }
        .into()),
    }
}

/// Takes back what the same browser asked for before: its person looks at one page. Those ids.
async fn supersede(
    transaction: &DatabaseTransaction,
    state: &State,
    row: &ActiveModel,
) -> Result<Vec<Uuid>, DbErr> {
    let now = state.now();
    let (client_id, ip, agent) = (
        row.client_id.as_ref(),
        row.ip.as_ref(),
        row.user_agent.as_ref(),
    );
    // Whose browser it is was not stated, or it is an integrator's test, which may run beside others.
    if ip.is_empty() || row.test_identity.as_ref().is_some() {
        return Ok(Vec::new());
    }
    let mut superseded = Vec::new();
    for older in store::waiting_from(transaction, *client_id, ip, agent).await? {
        if store::end(transaction, older, Stage::Cancelled, None, Some(now), now).await? {
            Entry::new(*row.site_id.as_ref(), Action::SignOnCancelled)
                .client(*client_id)
                .sign_on(older)
                .detail("the same browser asked again")
                .record(transaction, &state.keys, now)
                .await?;
            superseded.push(older);
        }
    }
    Ok(superseded)
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

/// The site takes a sign-on back.
pub(in crate::sign_on) async fn cancel(
    state: &State,
    site: &Site,
    token: &str,
) -> Result<(), SignOnError> {
    let now = state.now();
    let sign_on = find_for_site(state, site, token).await?;
    sign_on.open(now)?;
    let transaction = db::begin(&state.db).await?;
    if !store::end(
        &transaction,
        sign_on.id,
        Stage::Cancelled,
        None,
        Some(now),
        now,
    )
    .await?
    {
        transaction.rollback().await?;
        find_for_site(state, site, token).await?.open(now)?;
        return Err(SignOnError::Used);
    }
    Entry::new(site.id, Action::SignOnCancelled)
        .client(sign_on.client_id)
        .sign_on(sign_on.id)
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    let client_id = sign_on.client_id;
    decided(state, site, client_id, sign_on.id, Verdict::Expired);
    Ok(())
}
