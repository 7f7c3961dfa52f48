//! What the site does: ask for a sign-on, take it back.

use sea_orm::{ActiveValue::Set, DatabaseTransaction, DbErr};
use uuid::Uuid;

use super::{
    answerer::Answerer,
    asked::{Asked, Wanted},
    decided, find_for_site,
    origin::Origin,
    test_answer,
};
use crate::{
    audit::{Action, Entry},
    client::{self, ClientError},
    platform::{
        clock::seconds,
        db,
        events::{Event, Verdict},
        secret::Secret,
        state::{Shared, State},
        user_agent,
    },
    push,
    sign_on::{
        model::{ActiveModel, Choices, SignOnError, State as Stage, draw_number},
        store,
    },
    site::Site,
    webhook::Topic,
};

pub(in crate::sign_on) struct Pushed {
    pub(in crate::sign_on) token: Secret,
    pub(in crate::sign_on) number: Option<i32>,
}

/// Asks a client's phones for a sign-on, or has a page wait for nobody.
pub(in crate::sign_on) async fn request(
    state: &Shared,
    wanted: &Wanted<'_>,
    origin: Origin,
) -> Result<Pushed, SignOnError> {
    let now = state.now();
    let (site, client) = (wanted.site, wanted.client);
    let test = wanted.test();
    let asked = Asked::of(state, wanted, &origin, now).await?;
    let with_number = wanted.with_number || asked.needs_number;
    let token = Secret::generate(if test.is_some() { "vt_test_" } else { "vt_" });
    // In order of time, so that two of one moment have an order too.
    let id = Uuid::now_v7();
    let (number, choices) = if with_number {
        let (number, choices) = draw_number();
        (Some(number), choices)
    } else {
        (None, Choices::default())
    };
    let (browser, os) = user_agent::describe(&origin.user_agent);
    let place = origin.place(state);
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
        place: Set(place),
        created_at: Set(now),
        expires_at: Set(now + seconds(state.settings.sign_on.lifetime)),
        test_identity: Set(test.map(|test| test.identity())),
        decoy: Set(asked.decoy_for.is_some()),
        ..Default::default()
    };
    let transaction = db::begin(&state.db).await?;
    // One after another: of two at once by one browser, the later must see the earlier one.
    match client::hold(&transaction, site.id, client.id).await {
        Err(ClientError::NotFound) if !wanted.is_known => {}
        held => {
            held?;
        }
    }
    let superseded = supersede(&transaction, state, &row).await?;
    store::insert(&transaction, row).await?;
    if asked.devices.is_empty() {
        push::enqueue_nothing(&transaction, id).await?;
    } else {
        push::enqueue(&transaction, state, site, &asked.devices, id, now).await?;
    }
    entry(wanted, &asked)
        .sign_on(id)
        .from(origin.ip)
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

/// What the log says of it.
fn entry(wanted: &Wanted<'_>, asked: &Asked) -> Entry {
    let entry = |action| {
        let entry = Entry::new(wanted.site.id, action);
        if wanted.is_known {
            entry.client(wanted.client.id)
        } else {
            entry
        }
    };
    match &asked.decoy_for {
        Some(why) => {
            entry(Action::SignOnRefused).detail(format!("{why}; the page was given a decoy"))
        }
        None => {
            let note = wanted.test().map(|test| Answerer::Test(test).note(""));
            entry(Action::SignOnRequested).detail(note.unwrap_or_default())
        }
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
        let id = older.id;
        if store::end(transaction, id, Stage::Cancelled, None, Some(now), now).await? {
            older
                .message(Topic::SignOnExpired)
                .enqueue(transaction, now)
                .await?;
            older
                .entry(Action::SignOnCancelled)
                .detail("the same browser asked again")
                .record(transaction, &state.keys, now)
                .await?;
            superseded.push(id);
        }
    }
    Ok(superseded)
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
    sign_on
        .message(Topic::SignOnExpired)
        .enqueue(&transaction, now)
        .await?;
    sign_on
        .entry(Action::SignOnCancelled)
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    let client_id = sign_on.client_id;
    decided(state, site, client_id, sign_on.id, Verdict::Expired);
    Ok(())
}
