//! Where a second factor is required, a password alone lets nobody in who has one, and whoever has none adds one first.

use std::sync::Arc;

use reqwest::StatusCode;
use server::{
    account,
    platform::{
        clock::Clock,
        config::{SecondFactor, Settings},
    },
};
use testkit::{App, Scripted, on_each_database};

use super::{
    Authenticator, Visitor, add_passkey, make_account,
    passkeys::show,
    signed_in,
    visitor::{PASSWORD, Seen},
    ways::{answer, ask, by_code, codes, pair_face},
};
use crate::device_facial::count;

const WAYS: &str = "/dashboard/account/ways";

fn required(settings: &mut Settings) {
    settings.accounts.second_factor = SecondFactor::Required;
    // Browsers make passkeys for a name alone.
    settings.server.public_url = "https://signin.example".into();
}

async fn by_password(app: &App, email: &str) -> (Seen, Visitor) {
    let visitor = Visitor::new(app);
    let fields = [("email", email), ("password", PASSWORD)];
    let seen = visitor.post("/dashboard/sign-in", &fields).await;
    (seen, visitor)
}

async fn is_in(visitor: &Visitor) -> bool {
    visitor.get("/dashboard").await.status == StatusCode::OK
}

on_each_database! {
    async fn whoever_has_none_adds_one_before_anything_else(app: App, |settings| required(settings)) {
        make_account(&app, "ann@example.com", true).await;
        let ann = signed_in(&app, "ann@example.com").await;
        for path in ["/dashboard", "/dashboard/account", "/dashboard/apps/new", "/dashboard/account/erase"] {
            assert_eq!(ann.get(path).await.location, WAYS, "{path}");
        }
        for path in ["/dashboard/apps/new", "/dashboard/account/password", "/dashboard/account/codes", "/dashboard/account/passkeys/remove", "/dashboard/account/ways/../password"] {
            let seen = ann.post(path, &[("url", "https://a.example"), ("present", PASSWORD)]).await;
            assert!(seen.location == WAYS || seen.status == StatusCode::NOT_FOUND, "{path}: {seen:?}");
        }
        assert!(ann.get(WAYS).await.text.contains("A password alone does not do here"));
        assert_eq!(count(&app, "select count(*) as n from sites where is_dashboard = false").await, 0);
        let laptop = Authenticator::new(7);
        add_passkey(&ann, &laptop).await;
        assert!(is_in(&ann).await, "it was shown just now");
        assert!(!ann.get(WAYS).await.text.contains("does not do here"));
        // From now on the password alone does not do.
        let (refused, visitor) = by_password(&app, "ann@example.com").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.text.contains("The password is right") && refused.text.contains("Sign in with a passkey"), "{}", refused.text);
        assert!(!is_in(&visitor).await);
        assert_eq!(count(&app, "select count(*) as n from audit_events where action = 'account_refused' and detail like 'the password alone, account %'").await, 1);
        let wrong = Visitor::new(&app).post("/dashboard/sign-in", &[("email", "ann@example.com"), ("password", "wrong")]).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "who knows no password learns nothing of it");
        assert_eq!(show(&visitor, &laptop).await.location, "/dashboard/account");
        assert!(is_in(&visitor).await);
    }

    async fn sessions_of_before_end_where_there_is_one_to_show(app: App, |settings| settings.server.public_url = "https://signin.example".into()) {
        make_account(&app, "ann@example.com", false).await;
        make_account(&app, "bob@example.com", false).await;
        let ann = signed_in(&app, "ann@example.com").await;
        add_passkey(&ann, &Authenticator::new(7)).await;
        let (weak, bob) = (signed_in(&app, "ann@example.com").await, signed_in(&app, "bob@example.com").await);
        assert!(is_in(&weak).await && is_in(&bob).await);
        let shown = bob.post("/dashboard/account/codes", &[("present", PASSWORD)]).await;
        let code = codes(&shown.text).remove(0);
        let strict = app.beside(Arc::new(Scripted::version("1")), required).await;
        let there = async |visitor: &Visitor| {
            let same = Visitor::new(&strict);
            same.hold(visitor.cookie());
            same.get("/dashboard").await
        };
        assert_eq!(there(&ann).await.status, StatusCode::OK);
        assert!(there(&weak).await.location.contains("sign-in"));
        assert_eq!(there(&bob).await.location, WAYS);
        // A recovery code stands for what was lost, and is none itself.
        let (_, by_code) = by_code(&strict, "bob@example.com", &code).await;
        assert_eq!(by_code.get("/dashboard").await.location, WAYS);
    }

    async fn a_link_that_sets_a_password_does_not_do_alone_and_a_recovery_code_does(app: App, |settings| required(settings)) {
        let made = make_account(&app, "ann@example.com", false).await;
        let ann = signed_in(&app, "ann@example.com").await;
        add_passkey(&ann, &Authenticator::new(7)).await;
        let shown = ann.post("/dashboard/account/codes", &[("present", PASSWORD)]).await;
        let code = codes(&shown.text).remove(0);
        let state = &app.app.state;
        let token = account::offer(&state.db, &state.keys, Some(made.id), app.clock.now()).await.unwrap();
        let thief = Visitor::new(&app);
        thief.post("/dashboard/join", &[("token", token.reveal()), ("password", "another long password")]).await;
        assert!(thief.get("/dashboard").await.location.contains("sign-in"));
        // Whoever has lost everything else.
        let (status, lost) = by_code(&app, "ann@example.com", &code).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert!(is_in(&lost).await);
        let token = account::offer(&state.db, &state.keys, Some(made.id), app.clock.now()).await.unwrap();
        lost.post("/dashboard/join", &[("token", token.reveal()), ("password", "a third long password")]).await;
        assert!(is_in(&lost).await, "they set another password, and are in still");
    }

    async fn ones_own_face_is_one(app: App, |settings| settings.accounts.second_factor = SecondFactor::Required) {
        make_account(&app, "ann@example.com", false).await;
        let ann = signed_in(&app, "ann@example.com").await;
        let phone = pair_face(&app, &ann).await;
        assert!(ann.get("/dashboard").await.location.contains("sign-in"), "it is there, and was not shown yet");
        let (refused, visitor) = by_password(&app, "ann@example.com").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let number = ask(&visitor, "ann@example.com").await;
        assert!(answer(&phone, number, 0).await);
        visitor.post("/dashboard/sign-in/face/finish", &[]).await;
        assert!(is_in(&visitor).await);
    }
}
