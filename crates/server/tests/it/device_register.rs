use phone::PhoneError;
use serde_json::json;
use testkit::{App, on_each_database, photos};

pub(crate) fn code<T: std::fmt::Debug>(outcome: Result<T, PhoneError>) -> u64 {
    match outcome {
        Err(PhoneError::Refused { code, .. }) => code,
        other => panic!("not refused: {other:?}"),
    }
}

on_each_database! {
    async fn a_phone_is_paired_and_the_page_hears_it(app: App) {
        let site = app.site("a.example").await;
        let id = site.client("ann@example.com").await;
        let mut page = site.page().await;
        page.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": id })).await;
        page.confirmed().await;
        let link = site.enrolment_link(id, "signup").await;
        let phone = site.try_pair(&link).await.unwrap();
        assert_eq!(phone.pairing().client_id, id);
        assert_eq!(phone.pairing().domain, "a.example");
        let told = page.message().await;
        assert_eq!(told["registered"], true);
        assert_eq!(told["status"], "registered");
        assert_eq!(told["flow_type"], "signup");
        assert_eq!(told["client_id"], json!(id));
    }

    async fn a_code_pairs_one_phone(app: App) {
        let site = app.site("a.example").await;
        let id = site.client("ann@example.com").await;
        let link = site.enrolment_link(id, "signup").await;
        let outcomes = futures_util::future::join_all((0..4).map(|_| site.try_pair(&link))).await;
        let (paired, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!((paired.len(), refused.len()), (1, 3));
        for outcome in refused {
            assert_eq!(code(outcome.map(|_| ())), 1051);
        }
    }

    async fn a_code_ends(app: App) {
        let site = app.site("a.example").await;
        let id = site.client("ann@example.com").await;
        let link = site.enrolment_link(id, "signup").await;
        app.clock.advance(600);
        assert_eq!(code(site.try_pair(&link).await.map(|_| ())), 1051);
        assert_eq!(code(site.try_pair("et_unknown").await.map(|_| ())), 1051);
    }

    async fn a_second_phone_knows_that_there_is_a_face(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let link = site.enrolment_link(ann.client_id, "login").await;
        let second = site.try_pair(&link).await.unwrap();
        second.enrol(&[photos().of(0, 1)]).await.unwrap();
        ann.phone.confirm(second.pairing().device_id).await.unwrap();
        let verification = site.push(ann.client_id).await;
        let waiting = second.pending(0).await.unwrap();
        let id = waiting[0]["sign_on_id"].as_str().unwrap().parse().unwrap();
        second.scan(id, None, &[photos().of(0, 1)]).await.unwrap();
        assert_eq!(site.status(&verification).await.data()["status"], "verified");
    }
}
