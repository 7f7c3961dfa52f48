//! A code on a screen can be filmed. Whoever pairs with it has shown nothing yet: a further phone is worth
//! nothing until it is confirmed and its person's face was matched on it.

use phone::Phone;
use serde_json::json;
use testkit::{App, Backend, Person, on_each_database, photos};
use uuid::Uuid;

use crate::device_register::code;

/// Another phone of the person, paired with a code of this kind.
pub(crate) async fn further(site: &Backend, ann: &Person, flow_type: &str) -> Phone {
    let link = site.enrolment_link(ann.client_id, flow_type).await;
    site.try_pair(&link).await.expect("the phone is paired")
}

/// What the phone is told of itself.
async fn standing(phone: &Phone) -> String {
    let own = phone.device().await.expect("the phone is known");
    let devices = own["devices"].as_array().unwrap();
    let this = devices
        .iter()
        .find(|device| device["this"] == true)
        .unwrap();
    this["standing"].as_str().unwrap().to_owned()
}

async fn open(site: &Backend, ann: &Person) -> (String, Uuid) {
    let token = site.push(ann.client_id).await;
    (token, ann.waiting().await)
}

on_each_database! {
    async fn whoever_filmed_the_code_gets_nothing(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let thief = further(&site, &ann, "login").await;
        assert_eq!(standing(&thief).await, "waiting");

        let (token, id) = open(&site, &ann).await;
        assert!(thief.pending(0).await.unwrap().is_empty());
        assert!(thief.recent().await.unwrap().is_empty());
        assert_eq!(code(thief.deny(id, true).await), 1032);
        assert_eq!(code(thief.scan(id, None, &[photos().of(0, 1)]).await), 1032);

        let own = thief.device().await.unwrap();
        assert_eq!(own["devices"].as_array().unwrap().len(), 1, "{own}");
        let hers = ann.phone.pairing().device_id;
        assert_eq!(code(thief.unpair(hers).await), 1010);
        assert_eq!(code(thief.confirm(thief.pairing().device_id).await), 1010);
        assert_eq!(code(thief.erase().await), 1010);

        ann.phone.scan(id, None, &[photos().of(0, 1)]).await.unwrap();
        assert_eq!(site.status(&token).await.data()["status"], "verified");
    }

    async fn what_fails_on_a_waiting_phone_locks_it_and_not_its_person(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let thief = further(&site, &ann, "login").await;
        for _ in 0..5 {
            assert_eq!(code(thief.enrol(&[photos().of(1, 0)]).await), 1036);
        }
        assert_eq!(code(thief.enrol(&[photos().of(1, 0)]).await), 1016);
        let (_, id) = open(&site, &ann).await;
        ann.phone.scan(id, None, &[photos().of(0, 1)]).await.unwrap();

        for _ in 0..5 {
            app.clock.advance(15 * 60);
            assert_eq!(code(thief.enrol(&[photos().of(1, 0)]).await), 1036);
        }
        assert_eq!(code(thief.device().await), 1050);
        let (_, id) = open(&site, &ann).await;
        ann.phone.scan(id, None, &[photos().of(0, 1)]).await.unwrap();
    }

    async fn a_phone_on_trial_cannot_keep_its_person_out(app: App) {
        let site = app.site("a.example").await;
        let client_id = site.client("ann@example.com").await;
        site.upload(&client_id.to_string(), photos().of(0, 0)).await;
        let link = site.enrolment_link(client_id, "login").await;
        let thief = Person { client_id, phone: site.try_pair(&link).await.unwrap() };
        assert_eq!(standing(&thief.phone).await, "on_trial");
        for _ in 0..4 {
            let (token, id) = open(&site, &thief).await;
            thief.phone.deny(id, true).await.unwrap();
            assert_eq!(site.status(&token).await.data()["status"], "denied");
            app.clock.advance(10 * 60);
        }
        let (token, id) = open(&site, &thief).await;
        assert_eq!(code(thief.phone.scan(id, None, &[photos().of(1, 0)]).await), 1036);
        assert_eq!(site.status(&token).await.data()["status"], "failed");
        let (_, id) = open(&site, &thief).await;
        assert_eq!(code(thief.phone.scan(id, None, &[photos().of(0, 1)]).await), 1016);
        app.clock.advance(15 * 60);

        // Reports of such a phone freeze nothing, and it is nobody's once the person's own was matched.
        let mine = Person { client_id, phone: further(&site, &thief, "login").await };
        let (_, id) = open(&site, &mine).await;
        mine.phone.scan(id, None, &[photos().of(0, 1)]).await.unwrap();
        assert_eq!(standing(&mine.phone).await, "trusted");
        assert_eq!(standing(&thief.phone).await, "waiting");
    }

    async fn a_further_phone_needs_the_face_and_a_yes(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        // The face first.
        let second = further(&site, &ann, "login").await;
        second.enrol(&[photos().of(0, 1)]).await.unwrap();
        assert_eq!(standing(&second).await, "waiting");
        ann.phone.confirm(second.pairing().device_id).await.unwrap();
        assert_eq!(standing(&second).await, "trusted");
        // The yes first: then the first scan is the proof.
        let third = further(&site, &ann, "login").await;
        second.confirm(third.pairing().device_id).await.unwrap();
        assert_eq!(standing(&third).await, "on_trial");
        let (token, id) = open(&site, &ann).await;
        third.scan(id, None, &[photos().of(0, 1)]).await.unwrap();
        assert_eq!(site.status(&token).await.data()["status"], "verified");
        assert_eq!(standing(&third).await, "trusted");
    }

    async fn a_site_may_confirm_and_revoke_its_own_clients_phones(app: App) {
        let site = app.site("a.example").await;
        let other = app.site("b.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let bob = site.enrolled("bob@example.com").await;
        let second = further(&site, &ann, "login").await;
        let which = |client_id: Uuid| json!({ "id": client_id, "device_id": second.pairing().device_id });
        for path in ["/client/confirm_device", "/client/revoke_device"] {
            assert_eq!(other.post(path, &which(ann.client_id)).await.code(), 1007);
            assert_eq!(site.post(path, &which(bob.client_id)).await.code(), 1007);
        }
        let shown = site.get(&format!("/client/{}", ann.client_id)).await;
        let devices = shown.data()["devices"].as_array().unwrap();
        assert_eq!(devices.iter().filter(|device| device["standing"] == "waiting").count(), 1);
        assert_eq!(site.post("/client/confirm_device", &which(ann.client_id)).await.code(), 0);
        assert_eq!(standing(&second).await, "on_trial");
        assert_eq!(site.post("/client/revoke_device", &which(ann.client_id)).await.code(), 0);
        assert_eq!(code(second.device().await), 1050);
        assert_eq!(site.post("/client/confirm_device", &which(ann.client_id)).await.code(), 1007);
    }

    async fn a_waiting_phone_puts_no_face_in_the_place_of_another(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        app.clock.advance(1);
        let thief = further(&site, &ann, "signup").await;
        assert_eq!(code(thief.enrol(&[photos().of(1, 0)]).await), 1036);
        // Once it is confirmed, the site's wish to enrol anew holds.
        ann.phone.confirm(thief.pairing().device_id).await.unwrap();
        thief.enrol(&[photos().of(1, 0)]).await.unwrap();
    }

    async fn a_fresh_code_voids_older_ones(app: App) {
        let site = app.site("a.example").await;
        let id = site.client("ann@example.com").await;
        let bob = site.client("bob@example.com").await;
        let first = site.enrolment_link(id, "login").await;
        let of_bob = site.enrolment_link(bob, "login").await;
        let second = site.enrolment_link(id, "login").await;
        assert_eq!(code(site.try_pair(&first).await.map(|_| ())), 1051);
        site.try_pair(&second).await.unwrap();
        site.try_pair(&of_bob).await.unwrap();
    }
}
