use testkit::{App, on_each_database, photos};
use uuid::Uuid;

use crate::{device_facial::count, device_register::code};

on_each_database! {
    async fn a_person_unpairs_a_lost_phone_with_another(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let link = site.enrolment_link(ann.client_id, "login").await;
        let second = site.try_pair(&link).await.unwrap();
        second.enrol(&[photos().of(0, 1)]).await.unwrap();
        ann.phone.confirm(second.pairing().device_id).await.unwrap();
        second.unpair(ann.phone.pairing().device_id).await.unwrap();
        assert_eq!(code(ann.phone.pending(0).await), 1050);
        let own = second.device().await.unwrap();
        assert_eq!(own["devices"].as_array().unwrap().len(), 1);
        assert_eq!(code(second.unpair(ann.phone.pairing().device_id).await), 1007);
        // The last one: nobody can be asked any more.
        second.unpair(second.pairing().device_id).await.unwrap();
        assert_eq!(site.try_push(ann.client_id).await.code(), 1012);
        assert_eq!(count(&app, "select count(*) as n from audit_events where action = 'device_revoked'").await, 2);
    }

    async fn nobody_unpairs_the_phone_of_another(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let (ann, bob) = (site.enrolled("ann@example.com").await, site.paired("bob@example.com").await);
        let there = other.paired("ann@example.com").await;
        for id in [bob.phone.pairing().device_id, there.phone.pairing().device_id, Uuid::new_v4()] {
            assert_eq!(code(ann.phone.unpair(id).await), 1007);
        }
        bob.phone.pending(0).await.unwrap();
        there.phone.pending(0).await.unwrap();
    }
}
