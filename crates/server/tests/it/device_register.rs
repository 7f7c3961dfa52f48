use phone::{Key, Pairing, Phone, PhoneError, Request, content_digest};
use reqwest::Client;
use serde_json::{Value, json};
use server::platform::clock::Clock;
use testkit::{Answer, App, on_each_database, photos};

pub(crate) fn code<T: std::fmt::Debug>(outcome: Result<T, PhoneError>) -> u64 {
    match outcome {
        Err(PhoneError::Refused { code, .. }) => code,
        other => panic!("not refused: {other:?}"),
    }
}

/// Registers by hand, so that a key can do it again.
async fn register(app: &App, key: &Key, link: &str, more: Value) -> Answer {
    let url = format!("{}/api/v1/facial_sign_on/device/register", app.url);
    let token = link.split_once('#').unwrap().1;
    let mut body = json!({ "enrollment_token": token, "name": "A phone", "platform": "ios", "push": { "kind": "none" } });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let body = body.to_string().into_bytes();
    let request = Request {
        method: "POST",
        url: &url,
        token: None,
        body: &body,
        at: app.clock.now(),
    };
    let request = Client::new()
        .post(&url)
        .header("DPoP", key.prove(&request).unwrap())
        .header("Content-Digest", content_digest(&body))
        .header("Content-Type", "application/json");
    Answer::to(request.body(body)).await
}

/// The phone that an answer made of this key.
fn phone_of(app: &App, key: &Key, answer: &Answer) -> Phone {
    let id = |name: &str| answer.text(name).parse().unwrap();
    let pairing = Pairing {
        server: app.url.clone(),
        key: key.to_pem().unwrap().to_string(),
        device_token: answer.text("device_token"),
        device_id: id("device_id"),
        client_id: id("client_id"),
        domain: "a.example".into(),
        consent_version: answer.data()["consent"]["version"].as_str().unwrap().into(),
        consent_text: answer.data()["consent"]["text"].as_str().unwrap().into(),
    };
    Phone::wake(pairing, app.clock.clone()).unwrap()
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

    async fn a_phone_that_heard_no_answer_asks_again_and_nobody_else_can(app: App) {
        let site = app.site("a.example").await;
        let id = site.client("ann@example.com").await;
        let link = site.enrolment_link(id, "signup").await;
        let (key, other) = (Key::generate(), Key::generate());
        let mut page = site.page().await;
        page.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": id })).await;
        page.confirmed().await;
        let lost = register(&app, &key, &link, json!({})).await;
        assert_eq!(page.message().await["registered"], true);
        app.clock.advance(30);
        assert_eq!(register(&app, &other, &link, json!({})).await.code(), 1051);
        let heard = register(&app, &key, &link, json!({})).await;
        // One phone and one token: whichever answer comes through, and in whatever order.
        for name in ["device_id", "client_id", "standing", "device_token"] {
            assert_eq!(lost.text(name), heard.text(name), "{name}");
        }
        let phone = phone_of(&app, &key, &heard);
        let push = json!({ "push": { "kind": "fcm", "token": "a token of the app" } });
        phone.call("/device/push", &push).await.unwrap();
        // A request that was on its way for long changes nothing of that.
        register(&app, &key, &link, json!({ "name": "of before" })).await;
        let own = phone.device().await.unwrap();
        let devices = own["devices"].as_array().unwrap();
        assert_eq!((devices.len(), &own["push"]), (1, &json!("fcm")));
        assert_ne!(devices[0]["name"], json!("of before"));
        // What was done meanwhile stays: a face, and that the phone is trusted. Pages heard of one phone.
        phone.enrol(&[photos().of(0, 0)]).await.unwrap();
        assert_eq!(page.message().await["status"], "uploaded");
        let trusted = register(&app, &key, &link, json!({})).await;
        assert_eq!((trusted.text("standing").as_str(), &trusted.data()["face_enrolled"]), ("trusted", &json!(true)));
        let phone = phone_of(&app, &key, &trusted);
        // Another phone took up another code: the first key cannot have that one's pairing.
        let second = site.enrolment_link(id, "login").await;
        assert_eq!(register(&app, &other, &second, json!({})).await.text("standing"), "waiting");
        assert_eq!(register(&app, &key, &second, json!({})).await.code(), 1051);
        assert_eq!(register(&app, &other, &second, json!({})).await.text("standing"), "waiting");
        // Neither outlives its code, or a phone that was unpaired.
        phone.unpair(phone.pairing().device_id).await.unwrap();
        assert_eq!(register(&app, &key, &link, json!({})).await.code(), 1051);
        app.clock.advance(600);
        assert_eq!(register(&app, &other, &second, json!({})).await.code(), 1051);
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
