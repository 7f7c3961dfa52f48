//! References: how many there are, how they follow a face that ages, what a change of pack does.

use std::sync::Arc;

use serde_json::json;
use server::site::Liveness;
use testkit::{App, Backend, Person, Scripted, on_each_database, photos};

use crate::{device_facial::count, device_register::code};

const DAY: i64 = 86_400;

async fn scripted(app: &App, version: &str) -> App {
    let engine = Arc::new(Scripted::version(version));
    App::start_with(app.database.clone(), engine, |settings| {
        settings.lock.permanent_after = 1000;
        settings.device.token_lifetime = 10 * 365 * 86_400;
    })
    .await
}

async fn site(app: &App, adaptation: bool) -> Backend {
    app.site_with("a.example", |settings| {
        settings.liveness = Liveness::Off;
        settings.adaptation = adaptation;
    })
    .await
}

async fn held(app: &App, source: &str) -> i64 {
    let query = format!("select count(*) as n from face_references where source = '{source}'");
    count(app, &query).await
}

/// A face this far from that of the person, in a direction.
fn face(distance: f32, direction: usize) -> Vec<u8> {
    let mut values = [0.5_f32; 8];
    values[direction] += distance;
    Scripted::photo(&values)
}

/// Whether a sign-on with this photo succeeds, a while after the last one.
async fn passes(app: &App, site: &Backend, person: &Person, photo: Vec<u8>, days: i64) -> bool {
    app.clock.advance(days * DAY + 1000);
    let renewed = site.with_token(&site.token_of("site").await);
    renewed.push(person.client_id).await;
    let id = person.waiting().await;
    let outcome = person.phone.scan(id, None, &[photo]).await;
    let passed = outcome.is_ok();
    if !passed {
        assert_eq!(code(outcome), 1036);
        // Over already, where the failure locked the client.
        let _ = person.phone.deny(id, false).await;
    }
    passed
}

on_each_database! {
    async fn every_photo_of_an_enrolment_is_kept_up_to_three(app: App) {
        let app = scripted(&app, "1").await;
        let site = site(&app, false).await;
        let ann = site.paired("ann@example.com").await;
        ann.phone.enrol(&[face(0.0, 0), face(0.3, 0)]).await.unwrap();
        assert_eq!(held(&app, "enrolled").await, 2);
        // The mean of the two is compared with: 0.15 from each.
        assert!(passes(&app, &site, &ann, face(0.6, 0), 0).await);
        assert!(!passes(&app, &site, &ann, face(0.63, 0), 0).await);
        let many: Vec<_> = (0..12).map(|n| face(0.01 * n as f32, 1)).collect();
        let link = site.enrolment_link(ann.client_id, "signup").await;
        let second = site.try_pair(&link).await.unwrap();
        ann.phone.confirm(second.pairing().device_id).await.unwrap();
        second.enrol(&many).await.unwrap();
        assert_eq!((held(&app, "enrolled").await, held(&app, "adapted").await), (3, 0));
    }

    async fn a_matching_face_joins_and_never_takes_the_place_of_the_enrolled(app: App) {
        let site = site(&app, false).await;
        let ann = site.enrolled("ann@example.com").await;
        for photo in [1, 0, 1] {
            ann.phone.enrol(&[photos().of(0, photo)]).await.unwrap();
        }
        assert_eq!((held(&app, "enrolled").await, held(&app, "adapted").await), (1, 2));
        assert!(passes(&app, &site, &ann, photos().of(0, 1), 0).await);
        assert!(!passes(&app, &site, &ann, photos().of(1, 0), 0).await);
    }

    async fn scans_are_taken_as_references_only_where_the_site_allows_it(app: App) {
        let app = scripted(&app, "1").await;
        let site = site(&app, false).await;
        let ann = site.paired("ann@example.com").await;
        ann.phone.enrol(&[face(0.0, 0)]).await.unwrap();
        assert!(passes(&app, &site, &ann, face(0.1, 0), 30).await);
        assert_eq!(held(&app, "adapted").await, 0);
    }

    async fn a_face_ages_slowly_and_the_record_says_so(app: App) {
        let app = scripted(&app, "1").await;
        let site = site(&app, true).await;
        let ann = site.paired("ann@example.com").await;
        ann.phone.enrol(&[face(0.0, 0)]).await.unwrap();
        let oldest = "select count(*) as n from face_references r where source = 'adapted' and \
            created_at = (select min(created_at) from face_references where source = 'adapted')";
        // Not confident: within the site's level, not within the strictest.
        assert!(passes(&app, &site, &ann, face(0.44, 0), 1).await);
        assert_eq!(held(&app, "adapted").await, 0);
        // After a failure nothing is taken, however near the next scan is.
        assert!(!passes(&app, &site, &ann, face(0.9, 0), 1).await);
        assert!(passes(&app, &site, &ann, face(0.1, 0), 1).await);
        assert_eq!(held(&app, "adapted").await, 0);
        for (days, adapted) in [(0, 1), (1, 1), (7, 2), (6, 2), (7, 2)] {
            assert!(passes(&app, &site, &ann, face(0.2, 0), days).await);
            assert_eq!((held(&app, "enrolled").await, held(&app, "adapted").await), (1, adapted));
        }
        assert_eq!(count(&app, oldest).await, 1);
        let audited = "select count(*) as n from audit_events where action = 'face_adapted' and \
            sign_on_id is not null and device_id is not null";
        assert_eq!(count(&app, audited).await, 3);
        // The face has moved, and is still known where it was.
        assert!(passes(&app, &site, &ann, face(0.53, 0), 1).await);
        assert!(passes(&app, &site, &ann, face(-0.2, 0), 1).await);
    }

    /// An attacker who holds the phone and can make any face between the person's and their own
    /// walks, one step each time a reference may be taken, by scans and by enrolling anew.
    async fn a_face_cannot_be_walked_to_another(app: App) {
        let app = scripted(&app, "1").await;
        let site = site(&app, true).await;
        let ann = site.paired("ann@example.com").await;
        ann.phone.enrol(&[face(0.0, 0)]).await.unwrap();
        let mut farthest = 0.0;
        for step in 0..14 {
            // The farthest face that is let in now, to a hundredth.
            let (mut inside, mut outside) = (farthest, 1.2);
            while outside - inside > 0.02 {
                let middle = f32::midpoint(inside, outside);
                if passes(&app, &site, &ann, face(middle, 0), 0).await {
                    inside = middle;
                } else {
                    outside = middle;
                }
            }
            farthest = inside;
            // What moves the mean most: as far as may be adapted, and as far as may be enrolled.
            for photo in [0.41, 0.36, 0.3] {
                if passes(&app, &site, &ann, face(photo, 0), 8).await && step % 2 == 0 {
                    break;
                }
            }
            let _ = ann.phone.enrol(&[face(0.46, 0)]).await;
            app.clock.advance(1000);
        }
        assert!(farthest < 0.54, "walked to {farthest}");
        assert_eq!(held(&app, "enrolled").await, 1);
        assert!(!passes(&app, &site, &ann, face(0.56, 0), 8).await);
        // The person is still known.
        assert!(passes(&app, &site, &ann, face(0.0, 0), 8).await);
    }

    async fn a_change_of_pack_asks_for_a_new_enrolment_by_the_phone_that_enrolled(app: App) {
        let old = scripted(&app, "1").await;
        let site = site(&old, false).await;
        let ann = site.paired("ann@example.com").await;
        ann.phone.enrol(&[face(0.0, 0)]).await.unwrap();
        let new = scripted(&app, "2").await;
        let site = site.through(&new.url);
        let mut memory = ann.phone.pairing().clone();
        memory.server.clone_from(&new.url);
        let phone = phone::Phone::wake(memory, new.clock.clone()).unwrap();
        assert_eq!(phone.device().await.unwrap()["face_enrolled"], false);
        assert_eq!(site.try_push(ann.client_id).await.code(), 1008);
        let found = site.post("/login/lookup_client", &json!({ "email": "ann@example.com" })).await;
        assert_eq!(found.data()["facial_sign_on_enabled"], false);
        // A code for a second phone does not become a right to put any face there.
        let link = site.enrolment_link(ann.client_id, "login").await;
        let second = site.try_pair(&link).await.unwrap();
        assert_eq!(code(second.enrol(&[face(1.0, 0)]).await), 1010);
        // The first one's does, and once it has, its face is the one to match.
        phone.enrol(&[face(0.1, 0)]).await.unwrap();
        assert_eq!(phone.device().await.unwrap()["face_enrolled"], true);
        assert_eq!(count(&new, "select count(*) as n from face_references where pack_version = '2'").await, 1);
        assert_eq!(count(&new, "select count(*) as n from face_references").await, 1);
        let said = "select count(*) as n from audit_events where detail = 'after a face of pack scripted 1'";
        assert_eq!(count(&new, said).await, 1);
        assert_eq!(code(second.enrol(&[face(1.0, 0)]).await), 1036);
        assert_eq!(site.try_push(ann.client_id).await.code(), 0);
    }

    async fn after_a_change_of_pack_a_new_code_enrols_whatever_phone(app: App) {
        let old = scripted(&app, "1").await;
        let site = old.site_with("a.example", |settings| {
            settings.liveness = Liveness::Off;
            settings.reenrol_by_phone = false;
        }).await;
        let ann = site.paired("ann@example.com").await;
        ann.phone.enrol(&[face(0.0, 0)]).await.unwrap();
        let new = scripted(&app, "2").await;
        let site = site.through(&new.url);
        let mut memory = ann.phone.pairing().clone();
        memory.server.clone_from(&new.url);
        let phone = phone::Phone::wake(memory, new.clock.clone()).unwrap();
        // Where the site does not want it, having the phone is not enough.
        assert_eq!(code(phone.enrol(&[face(0.0, 0)]).await), 1010);
        new.clock.advance(1);
        let link = site.enrolment_link(ann.client_id, "signup").await;
        let other = site.try_pair(&link).await.unwrap();
        assert_eq!(code(other.enrol(&[face(0.0, 1)]).await), 1010);
        assert_eq!(code(other.erase().await), 1010, "a face of another pack is the person's all the same");
        phone.confirm(other.pairing().device_id).await.unwrap();
        other.enrol(&[face(0.0, 1)]).await.unwrap();
    }
}
