//! Hundreds at once, through two servers: what counts once counts once, and limits are exact.

use std::sync::Arc;

use futures_util::future::join_all;
use phone::Phone;
use serde_json::json;
use server::platform::config::Settings;
use testkit::{App, Backend, Scripted, on_each_database};

use crate::{device_facial::count, device_register::code};

/// Two servers with cheap faces, and a site's backend at each.
async fn two(app: &App, change: impl Fn(&mut Settings)) -> (App, App, Backend, Backend) {
    let generous = |settings: &mut Settings| {
        settings.limits.verify_per_ip = 10_000;
        settings.limits.verify_per_sign_on = 10_000;
        settings.limits.push_per_ip = 10_000;
        settings.limits.push_per_client = 10_000;
        settings.face.queue = 2_000;
        change(settings);
    };
    let engine = Arc::new(Scripted::version("1"));
    let one = App::start_with(app.database.clone(), engine.clone(), generous).await;
    let two = one.beside(engine, generous).await;
    let site = one.site("a.example").await;
    let there = site.through(&two.url);
    (one, two, site, there)
}

fn face() -> Vec<Vec<u8>> {
    vec![Scripted::photo(&[0.5, 0.5])]
}

on_each_database! {
    async fn of_two_hundred_redemptions_one_counts(app: App) {
        let (one, _two, site, there) = two(&app, |_| {}).await;
        let ann = site.paired("ann@example.com").await;
        ann.phone.enrol(&face()).await.unwrap();
        let token = site.push(ann.client_id).await;
        ann.phone.scan(ann.waiting().await, None, &face()).await.unwrap();
        let session = site.status(&token).await.text("client_session_token");
        let redeem = |at: usize| {
            let (backend, session) = ([&site, &there][at % 2], session.clone());
            async move { backend.redeem(&session, ann.client_id).await.code() }
        };
        let codes = join_all((0..200).map(redeem)).await;
        assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1);
        assert_eq!(codes.iter().filter(|code| **code == 1040).count(), 199);
        let lines = "select count(*) as n from audit_events where action = 'session_redeemed'";
        assert_eq!(count(&one, lines).await, 1);
    }

    async fn of_two_hundred_scans_one_gives_the_verdict(app: App) {
        let (one, two, site, _) = two(&app, |_| {}).await;
        let ann = site.paired("ann@example.com").await;
        ann.phone.enrol(&face()).await.unwrap();
        let token = site.push(ann.client_id).await;
        let id = ann.waiting().await;
        let challenge = ann.phone.call("/login/challenge", &json!({ "sign_on_id": id })).await.unwrap();
        let mut memory = ann.phone.pairing().clone();
        memory.server.clone_from(&two.url);
        let there = Phone::wake(memory, one.clock.clone()).unwrap();
        let answer = json!({
            "sign_on_id": id, "nonce": challenge["nonce"], "frames": [{ "part": "frame0" }],
        });
        let scan = |at: usize| {
            let (phone, answer) = ([&ann.phone, &there][at % 2], &answer);
            async move {
                match phone.answer("/login/verify_token", answer, &face()).await {
                    Ok(_) => 0,
                    refused => code(refused),
                }
            }
        };
        let codes = join_all((0..200).map(scan)).await;
        assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
        assert!(codes.iter().all(|code| [0, 1031].contains(code)), "{codes:?}");
        let lines = "select count(*) as n from audit_events where action = 'sign_on_verified'";
        assert_eq!(count(&one, lines).await, 1);
        let session = site.status(&token).await.text("client_session_token");
        assert_eq!(site.redeem(&session, ann.client_id).await.code(), 0);
    }

    async fn of_fifty_pushes_exactly_the_limit_goes_out(app: App) {
        let (one, _two, site, there) = two(&app, |settings| settings.limits.push_per_client = 5).await;
        let ann = site.paired("ann@example.com").await;
        ann.phone.enrol(&face()).await.unwrap();
        let push = |at: usize| {
            let backend = [&site, &there][at % 2];
            async move { backend.try_push(ann.client_id).await.code() }
        };
        let codes = join_all((0..50).map(push)).await;
        assert_eq!(codes.iter().filter(|code| **code == 0).count(), 5, "{codes:?}");
        assert_eq!(codes.iter().filter(|code| **code == 1023).count(), 45, "{codes:?}");
        assert_eq!(ann.phone.pending(0).await.unwrap().len(), 5);
        assert_eq!(count(&one, "select count(*) as n from pushes").await, 5);

        // The same for nobody, as far as a page can see.
        let widget = site.token_of("widget").await;
        let ask = |at: usize| {
            let widget = [&site, &there][at % 2].with_token(&widget);
            async move { widget.post("/client/send_push", &json!({ "email": "bob@example.com" })).await.code() }
        };
        let codes = join_all((0..50).map(ask)).await;
        assert_eq!(codes.iter().filter(|code| **code == 0).count(), 5, "{codes:?}");
        assert_eq!(codes.iter().filter(|code| **code == 1023).count(), 45, "{codes:?}");
    }

    async fn of_fifty_pushes_from_one_address_exactly_its_limit_goes_out(app: App) {
        let (_one, _two, site, there) = two(&app, |settings| settings.limits.push_per_ip = 10).await;
        let push = |at: usize| {
            let backend = [&site, &there][at % 2];
            async move { backend.try_push(uuid::Uuid::new_v4()).await.code() }
        };
        let codes = join_all((0..50).map(push)).await;
        assert_eq!(codes.iter().filter(|code| **code == 1007).count(), 10, "{codes:?}");
        assert_eq!(codes.iter().filter(|code| **code == 1022).count(), 40, "{codes:?}");
    }

    async fn of_two_hundred_phones_one_is_paired_by_a_code(app: App, |settings| settings.limits.other_per_ip = 10_000) {
        let site = app.site("a.example").await;
        let ann = site.client("ann@example.com").await;
        let link = site.enrolment_link(ann, "signup").await;
        let paired = join_all((0..200).map(|_| site.try_pair(&link))).await;
        assert_eq!(paired.iter().filter(|one| one.is_ok()).count(), 1);
        assert_eq!(count(&app, "select count(*) as n from devices").await, 1);
    }
}
