//! What someone tries who has frames of the person, or wants a challenge that fits those they have.

use std::sync::Arc;

use face::{Limits, decode_photo};
use phone::{Key, Pairing, Phone, PhoneError, Request, content_digest};
use reqwest::Client;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use server::{platform::clock::Clock, site::Liveness};
use testkit::{Answer, App, Backend, Person, Scripted, on_each_database, photos};

use crate::{device_facial::count, device_register::code};

const FACE: [f32; 4] = [0.5; 4];

/// A site whose people move, over an engine that believes what is written on the photos.
async fn scripted(app: &App) -> (App, Backend) {
    let engine = Arc::new(Scripted::version("1"));
    let app = App::start_with(app.database.clone(), engine, |_| {}).await;
    let site = app
        .site_with("a.example", |settings| settings.liveness = Liveness::Active)
        .await;
    (app, site)
}

async fn challenge(person: &Person, id: uuid::Uuid) -> Result<Value, PhoneError> {
    let body = json!({ "sign_on_id": id });
    person.phone.call("/login/challenge", &body).await
}

fn refused(outcome: Result<(), PhoneError>) -> (u64, Value) {
    match outcome {
        Err(PhoneError::Refused { code, details, .. }) => (code, details),
        other => panic!("not refused: {other:?}"),
    }
}

/// The same pixels in other bytes.
fn as_png(photo: &[u8]) -> Vec<u8> {
    let image = decode_photo(photo, &Limits::default()).unwrap();
    let (width, height) = (image.width() as u32, image.height() as u32);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(image.data()).unwrap();
    drop(writer);
    bytes
}

/// Pairs a phone whose person cannot do some things.
async fn pair_without(
    app: &App,
    site: &Backend,
    link: &str,
    without: Value,
) -> Result<Phone, Answer> {
    let key = Key::generate();
    let url = format!("{}{}/device/register", app.url, server::app::API);
    let body = json!({
        "enrollment_token": link.split_once('#').unwrap().1, "name": "phone", "platform": "web",
        "push": { "kind": "none" }, "without": without,
    })
    .to_string();
    let proof = key
        .prove(&Request {
            method: "POST",
            url: &url,
            token: None,
            body: body.as_bytes(),
            at: app.clock.now(),
        })
        .unwrap();
    let request = Client::new()
        .post(&url)
        .header("DPoP", proof)
        .header("Content-Digest", content_digest(body.as_bytes()))
        .body(body);
    let answer = Answer::to(request).await;
    if answer.code() != 0 {
        return Err(answer);
    }
    let memory = Pairing {
        server: site.url.clone(),
        key: key.to_pem().unwrap().to_string(),
        device_token: answer.text("device_token"),
        device_id: answer.text("device_id").parse().unwrap(),
        client_id: answer.text("client_id").parse().unwrap(),
        domain: "a.example".into(),
        consent_version: "1".into(),
        consent_text: String::new(),
    };
    Ok(Phone::wake(memory, app.clock.clone()).unwrap())
}

on_each_database! {
    async fn a_challenge_stays_the_same_until_it_is_answered(app: App) {
        let (app, site) = scripted(&app).await;
        let ann = site.paired("ann@example.com").await;
        let first = ann.phone.call("/device/challenge", &json!({})).await.unwrap();
        for _ in 0..20 {
            let again = ann.phone.call("/device/challenge", &json!({})).await.unwrap();
            assert_eq!((&again["nonce"], &again["steps"]), (&first["nonce"], &first["steps"]));
        }
        ann.phone.enrol(&Scripted::take(&FACE, 0, 4)).await.unwrap();
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        let first = challenge(&ann, id).await.unwrap();
        app.clock.advance(119);
        for _ in 0..20 {
            let again = challenge(&ann, id).await.unwrap();
            assert_eq!((&again["nonce"], &again["steps"]), (&first["nonce"], &first["steps"]));
            assert_eq!(again["expires_in"], 1);
        }
        assert_eq!(count(&app, "select sum(tries_left) as n from sign_ons").await, 3);
        let given = "select count(*) as n from audit_events where action = 'challenge_given'";
        assert_eq!(count(&app, given).await, 2);
        app.clock.advance(-2);
        let flat = vec![Scripted::flat(&FACE); 4];
        assert_eq!(refused(ann.phone.scan(id, None, &flat).await.map(|_| ())).0, 1037);
        let next = challenge(&ann, id).await.unwrap();
        assert_ne!(next["nonce"], first["nonce"]);
    }

    async fn a_redraw_costs_a_try(app: App) {
        let (app, site) = scripted(&app).await;
        let ann = site.paired("ann@example.com").await;
        ann.phone.enrol(&Scripted::take(&FACE, 0, 4)).await.unwrap();
        let verification = site.push(ann.client_id).await;
        let id = ann.waiting().await;
        let mut seen = Vec::new();
        for failures in 0..3 {
            seen.push(challenge(&ann, id).await.unwrap()["nonce"].clone());
            assert_eq!(count(&app, "select sum(failures) as n from clients").await, failures);
            app.clock.advance(120);
        }
        assert!(seen[0] != seen[1] && seen[1] != seen[2]);
        let (code, details) = refused(challenge(&ann, id).await.map(|_| ()));
        assert_eq!((code, &details["attempts_left"]), (1037, &json!(0)));
        assert_eq!(site.status(&verification).await.data()["error"], "liveness_failed");
    }

    async fn enrolling_is_no_range_to_practise_on(app: App) {
        let (app, site) = scripted(&app).await;
        let ann = site.paired("ann@example.com").await;
        for failures in 1..=4 {
            let (code, _) = refused(ann.phone.enrol(&vec![Scripted::flat(&FACE); 4]).await);
            assert_eq!(code, 1037);
            assert_eq!(count(&app, "select sum(failures) as n from devices").await, failures);
        }
        ann.phone.call("/device/challenge", &json!({})).await.unwrap();
        app.clock.advance(120);
        assert_eq!(code(ann.phone.call("/device/challenge", &json!({})).await), 1016);
    }

    async fn what_a_person_cannot_do_is_said_with_the_pairing(app: App) {
        let site = app.site_with("a.example", |settings| settings.liveness = Liveness::Active).await;
        let ann = site.client("ann@example.com").await;
        let link = site.enrolment_link(ann, "signup").await;
        for wrong in [json!(["blink", "open_mouth"]), json!(["dance"]), json!("blink"), json!([1])] {
            let Err(answer) = pair_without(&app, &site, &link, wrong.clone()).await else {
                panic!("{wrong}");
            };
            assert_eq!(answer.code(), 1006, "{wrong}");
            assert!(answer.field().starts_with("without"), "{wrong}: {}", answer.field());
        }
        let Ok(phone) = pair_without(&app, &site, &link, json!(["blink", "look_up"])).await else {
            panic!("not paired");
        };
        for _ in 0..8 {
            let asked = phone.call("/device/challenge", &json!({})).await.unwrap();
            let steps = asked["steps"].to_string();
            assert!(!steps.contains("blink") && !steps.contains("look_up"), "{steps}");
            app.app.state.db.execute_unprepared("update devices set challenge_hash = null").await.unwrap();
        }
        for route in ["/device/challenge", "/login/challenge"] {
            let body = json!({ "sign_on_id": uuid::Uuid::new_v4(), "without": ["turn_left"] });
            let (code, details) = refused(phone.call(route, &body).await.map(|_| ()));
            assert_eq!((code, &details["field"]), (1006, &json!("without")), "{route}");
        }
    }

    async fn photos_are_from_the_time_since_the_challenge(app: App) {
        let site = app.site_with("a.example", |settings| settings.liveness = Liveness::Passive).await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        let asked = challenge(&ann, id).await.unwrap();
        app.clock.advance(2);
        let send = async |t_ms: i64| {
            let frames = json!([{ "part": "frame0", "step": "s1", "t_ms": t_ms }]);
            let answer = json!({ "sign_on_id": id, "nonce": asked["nonce"], "frames": frames });
            ann.phone.answer("/login/verify_token", &answer, &[photos().of(0, 1)]).await
        };
        for wrong in [2001, -1, i64::MAX, i64::MIN] {
            let (code, details) = refused(send(wrong).await.map(|_| ()));
            assert_eq!((code, &details["field"]), (1006, &json!("answer.frames")), "{wrong}");
        }
        send(2000).await.unwrap();
    }

    async fn an_enrolments_own_frames_prove_no_life(app: App) {
        let site = app.site_with("a.example", |settings| {
            settings.liveness = Liveness::Passive;
            settings.tries = 5;
        }).await;
        let ann = site.paired("ann@example.com").await;
        let enrolled = photos().of(1, 0);
        ann.phone.enrol(std::slice::from_ref(&enrolled)).await.unwrap();
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        // The same bytes; the same pixels in others; cut, turned, darker and compressed harder.
        for (copy, left) in [enrolled.clone(), as_png(&enrolled), photos().of(1, 1)].into_iter().zip([4, 3, 2]) {
            let (code, details) = refused(ann.phone.scan(id, None, &[copy]).await.map(|_| ()));
            assert_eq!((code, details), (1037, json!({ "attempts_left": left })));
        }
        let replayed = "select count(*) as n from audit_events where detail = '1037: a frame was sent before'";
        assert_eq!(count(&app, replayed).await, 3);
    }

    async fn a_sign_ons_frames_are_good_once_and_forgotten_in_time(app: App) {
        let (app, site) = scripted(&app).await;
        let ann = site.paired("ann@example.com").await;
        ann.phone.enrol(&Scripted::take(&FACE, 0, 4)).await.unwrap();
        for (take, expected) in [(0, 1037), (1, 0), (1, 1037), (2, 0)] {
            site.push(ann.client_id).await;
            let waiting = ann.phone.pending(0).await.unwrap();
            let id = waiting.last().unwrap()["sign_on_id"].as_str().unwrap().parse().unwrap();
            let outcome = ann.phone.scan(id, None, &Scripted::take(&FACE, take, 4)).await;
            let code = outcome.map_or_else(|error| refused(Err(error)).0, |_| 0);
            assert_eq!(code, expected, "take {take}");
            if expected != 0 {
                ann.phone.deny(id, false).await.unwrap();
            }
        }
        assert_eq!(count(&app, "select count(*) as n from seen_frames").await, 3);
        app.clock.advance(90 * 24 * 3600);
        app.app.sweep().await.unwrap();
        assert_eq!(count(&app, "select count(*) as n from seen_frames").await, 0);
    }
}
