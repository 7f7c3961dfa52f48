//! Whether a person moves as asked: what is asked, what photos of photos get, what a page and a phone hear.

use std::sync::Arc;

use phone::PhoneError;
use serde_json::{Value, json};
use server::site::Liveness;
use testkit::{App, Backend, Person, Scripted, on_each_database, photos};

const FACE: [f32; 4] = [0.5; 4];

/// A site whose people move, over an engine that believes what is written on the photos.
async fn scripted(app: &App) -> (App, Backend) {
    let app = App::start_with(
        app.database.clone(),
        Arc::new(Scripted::version("1")),
        |_| {},
    )
    .await;
    let site = app
        .site_with("a.example", |settings| settings.liveness = Liveness::Active)
        .await;
    (app, site)
}

/// A client with a face, whose site asks people to move from now on.
async fn enrolled(app: &App) -> (Backend, Person) {
    let backend = app.site("a.example").await;
    let ann = backend.enrolled("ann@example.com").await;
    app.change_settings(backend.site_id, |settings| {
        settings.liveness = Liveness::Active;
    })
    .await;
    (backend, ann)
}

/// Photos of one person, enough for every step.
fn stills() -> Vec<Vec<u8>> {
    (0..4).map(|n| photos().of(0, n % 2)).collect()
}

fn refused(outcome: Result<(), PhoneError>) -> (u64, Value) {
    match outcome {
        Err(PhoneError::Refused { code, details, .. }) => (code, details),
        other => panic!("not refused: {other:?}"),
    }
}

on_each_database! {
    async fn a_challenge_asks_for_a_turn_and_a_movement(app: App) {
        let (site, ann) = enrolled(&app).await;
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        let challenge = ann.phone.call("/login/challenge", &json!({ "sign_on_id": id })).await.unwrap();
        assert_eq!(challenge["liveness"], "active");
        let steps = challenge["steps"].as_array().unwrap();
        assert!((3..=4).contains(&steps.len()));
        assert_eq!(steps[0], json!({ "id": "s1", "action": "look_straight" }));
        let asks = |words: &[&str]| steps.iter().any(|s| words.contains(&s["action"].as_str().unwrap()));
        assert!(asks(&["turn_left", "turn_right", "look_up"]) && asks(&["blink", "open_mouth"]));
    }

    async fn still_photos_are_1037_and_the_page_hears_it(app: App) {
        let (site, ann) = enrolled(&app).await;
        let verification = site.push(ann.client_id).await;
        let mut page = site.page().await;
        page.watch(&verification).await;
        let id = ann.waiting().await;
        for tries in [2, 1, 0] {
            let (code, details) = refused(ann.phone.scan(id, None, &stills()).await.map(|_| ()));
            assert_eq!((code, &details["attempts_left"]), (1037, &json!(tries)));
            assert_eq!(details["hint"], "hold_still");
            assert_eq!(page.message().await["status"], "scanning");
            let told = page.message().await;
            assert_eq!(told["code"], 1037);
            assert_eq!(told["status"], if tries > 0 { "retry" } else { "failed" });
        }
        let status = site.status(&verification).await;
        assert_eq!(status.data()["error"], "liveness_failed");
    }

    async fn frames_that_do_not_fit_the_challenge_are_1006_and_cost_no_try(app: App) {
        let (site, ann) = enrolled(&app).await;
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        let (code, details) = refused(ann.phone.scan(id, None, &[photos().of(0, 1)]).await.map(|_| ()));
        assert_eq!((code, &details["field"]), (1006, &json!("answer.frames")));
        let (code, details) = refused(ann.phone.scan(id, None, &stills()).await.map(|_| ()));
        assert_eq!((code, &details["attempts_left"]), (1037, &json!(2)));
    }

    async fn a_question_cannot_be_answered_by_another_nonce(app: App) {
        let (site, ann) = enrolled(&app).await;
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        let challenge = ann.phone.call("/login/challenge", &json!({ "sign_on_id": id })).await.unwrap();
        let (random, _) = challenge["nonce"].as_str().unwrap().split_once('.').unwrap();
        for forged in [format!("{random}.off.look_straight"), format!("{random}.passive.look_straight"), random.to_owned()] {
            let answer = json!({ "sign_on_id": id, "nonce": forged, "frames": [{ "part": "frame0", "step": "s1" }] });
            let outcome = ann.phone.answer("/login/verify_token", &answer, &[photos().of(0, 1)]).await;
            let (code, details) = refused(outcome.map(|_| ()));
            assert_eq!((code, &details["field"]), (1006, &json!("nonce")));
        }
    }

    async fn a_photo_enrols_nobody(app: App) {
        let site = app.site_with("a.example", |settings| settings.liveness = Liveness::Active).await;
        let ann = site.paired("ann@example.com").await;
        let mut page = site.page().await;
        page.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": ann.client_id })).await;
        page.confirmed().await;
        assert_eq!(page.message().await["status"], "registered");
        let (code, details) = refused(ann.phone.enrol(&stills()).await);
        assert_eq!((code, &details["hint"]), (1037, &json!("hold_still")));
        let told = page.message().await;
        assert_eq!((&told["status"], &told["code"]), (&json!("failed"), &json!(1037)));
        assert!(site.try_push(ann.client_id).await.code() == 1008);
    }

    async fn who_moves_as_asked_enrols_and_signs_on(app: App) {
        let (_app, site) = scripted(&app).await;
        let ann = site.paired("ann@example.com").await;
        ann.phone.enrol(&Scripted::take(&FACE, 0, 8)).await.unwrap();
        let verification = site.push(ann.client_id).await;
        let id = ann.waiting().await;
        ann.phone.scan(id, None, &Scripted::take(&FACE, 1, 8)).await.unwrap();
        assert_eq!(site.status(&verification).await.data()["status"], "verified");
    }

    async fn signs_of_an_attack_come_without_a_hint(app: App) {
        let (_app, site) = scripted(&app).await;
        let ann = site.paired("ann@example.com").await;
        ann.phone.enrol(&vec![Scripted::photo(&FACE); 4]).await.unwrap();
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        let (code, details) = refused(ann.phone.scan(id, None, &vec![Scripted::stiff(&FACE); 4]).await.map(|_| ()));
        assert_eq!((code, &details), (1037, &json!({ "attempts_left": 2, "hint": "turn_more" })));
        let (code, details) = refused(ann.phone.scan(id, None, &vec![Scripted::flat(&FACE); 4]).await.map(|_| ()));
        assert_eq!((code, &details), (1037, &json!({ "attempts_left": 1 })));
    }

    async fn a_passive_site_takes_a_photo_and_asks_for_nothing(app: App) {
        let site = app.site_with("a.example", |settings| settings.liveness = Liveness::Passive).await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        ann.phone.scan(id, None, &[photos().of(0, 1)]).await.unwrap();
    }
}
