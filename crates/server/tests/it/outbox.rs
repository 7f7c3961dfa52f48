//! The outbox: several servers carry what one of them wrote, each parcel once, and none is lost.

use std::sync::Arc;

use server::{platform::outbox, webhook::Topic};
use testkit::{App, Reaction, Receiver, on_each_database};

use crate::webhooks::{hook, nearby};

on_each_database! {
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
