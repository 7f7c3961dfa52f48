//! The outbox: several servers carry what one of them wrote, each parcel once, and none is lost.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use sea_orm::DbErr;
use server::{
    platform::{
        clock::Clock,
        outbox::{self, Courier, Draft, Fate, Outbox, Pace, Parcel},
        state::State,
    },
    webhook::Topic,
};
use testkit::{App, Reaction, Receiver, on_each_database};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::webhooks::{hook, nearby};

/// Ends with nothing of one site; says whose parcel it has.
struct Stuck {
    site_id: Option<Uuid>,
    came: mpsc::UnboundedSender<Option<Uuid>>,
}

#[async_trait]
impl Courier for Stuck {
    fn kind(&self) -> &'static str {
        "stuck"
    }

    fn pace(&self) -> Pace {
        Pace {
            first: 1.0,
            growth: 1.0,
            longest: 1.0,
        }
    }

    fn longest(&self) -> TimeDelta {
        TimeDelta::seconds(60)
    }

    async fn carry(&self, _: &State, parcel: &Parcel) -> Result<Fate, DbErr> {
        self.came.send(parcel.site_id).ok();
        if parcel.site_id == self.site_id {
            return std::future::pending().await;
        }
        Ok(Fate::Delivered("here".into()))
    }
}

/// Parcels of one, of which none comes to an end, and then one of another.
async fn hold_up(app: &App, one: Option<Uuid>, other: Option<Uuid>) {
    let draft = |site_id| Draft {
        site_id,
        kind: "stuck",
        target_id: Uuid::new_v4(),
        subject_id: Uuid::new_v4(),
        topic: "any".into(),
        body: "{}".into(),
        life: TimeDelta::hours(1),
    };
    let state = &app.app.state;
    let (came, mut seen) = mpsc::unbounded_channel();
    let couriers: Vec<Box<dyn Courier>> = vec![Box::new(Stuck { site_id: one, came })];
    let carrier = Outbox::open(couriers, &state.events);
    let drafts: Vec<Draft> = (0..200).map(|_| draft(one)).collect();
    outbox::put(&state.db, drafts, app.clock.now())
        .await
        .unwrap();
    let work = tokio::spawn(Arc::clone(&carrier).work(state.clone()));
    for _ in 0..16 {
        assert_eq!(seen.recv().await, Some(one));
    }
    outbox::put(&state.db, vec![draft(other)], app.clock.now())
        .await
        .unwrap();
    assert_eq!(seen.recv().await, Some(other));
    work.abort();
}

on_each_database! {
    async fn a_site_whose_endpoints_all_hang_holds_up_no_other(app: App) {
        let (one, other) = (app.site("a.example").await.site_id, app.site("b.example").await.site_id);
        hold_up(&app, Some(one), Some(other)).await;
    }

    async fn letters_that_nobody_takes_hold_up_no_site(app: App) {
        let other = app.site("b.example").await.site_id;
        hold_up(&app, None, Some(other)).await;
    }

    async fn of_several_servers_one_carries_each_parcel(app: App, |settings| nearby(settings)) {
        let other = App::start(app.database.clone(), nearby).await;
        let endpoints = [Receiver::start().await, Receiver::start().await, Receiver::start().await];
        let site = app.site("a.example").await;
        for endpoint in &endpoints {
            hook(&app, &site, &endpoint.url, &[Topic::DevicePaired]).await;
        }
        const PEOPLE: usize = 12;
        for number in 0..PEOPLE {
            site.paired(&format!("p{number}@example.com")).await;
        }
        // The clocks of two apps in a test are not the same to the microsecond.
        other.clock.advance(1);
        let (ours, theirs) = tokio::join!(app.deliver(), other.deliver());
        assert_eq!(ours + theirs, PEOPLE * endpoints.len());
        for endpoint in &endpoints {
            let mut ids: Vec<String> = endpoint.take().iter().map(|message| message.header("webhook-id").to_owned()).collect();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), PEOPLE);
        }
    }

    async fn what_a_server_dies_with_another_carries_when_its_time_is_over(app: App, |settings| nearby(settings)) {
        let endpoint = Receiver::start().await;
        endpoint.next([Reaction::Hang]);
        let site = app.site("a.example").await;
        let (hook, _) = hook(&app, &site, &endpoint.url, &[Topic::DevicePaired]).await;
        site.paired("ann@example.com").await;
        let (carrier, state) = (Arc::clone(&app.app.outbox), app.app.state.clone());
        let dying = tokio::spawn(async move { carrier.carry_due(&state).await });
        endpoint.until(1).await;
        dying.abort();
        assert!(dying.await.unwrap_err().is_cancelled());
        assert_eq!(app.deliver().await, 0, "it is under way, for all that is known");
        app.clock.advance(61);
        assert_eq!(app.deliver().await, 1);
        let parcels = outbox::listed(&app.app.state.db, hook.id, None, 10).await.unwrap();
        assert_eq!((parcels.len(), parcels[0].attempts, parcels[0].state), (1, 2, outbox::Stage::Delivered));
    }

    async fn a_clock_that_was_ahead_holds_nothing_up(app: App, |settings| nearby(settings)) {
        let endpoint = Receiver::start().await;
        let site = app.site("a.example").await;
        let (hook, _) = hook(&app, &site, &endpoint.url, &[Topic::DevicePaired]).await;
        app.clock.step(20 * 86_400);
        site.paired("ann@example.com").await;
        endpoint.next([Reaction::Answer(500, None)]);
        assert_eq!(app.deliver().await, 1);
        app.clock.step(-20 * 86_400);
        assert_eq!(app.deliver().await, 0);
        app.app.bound_waits().await.unwrap();
        assert_eq!(app.deliver().await, 1);
        let parcels = outbox::listed(&app.app.state.db, hook.id, None, 10).await.unwrap();
        assert_eq!(parcels[0].state, outbox::Stage::Delivered);
    }
}
