//! Ways in besides the password: one's own face, recovery codes.

use phone::Phone;
use reqwest::StatusCode;
use server::{
    account::{self, Role},
    platform::{clock::Clock, config::Settings},
    site::{self, Liveness, Site},
};
use testkit::{App, MailServer, on_each_database, photos};

use super::{Visitor, make_account, signed_in, visitor::PASSWORD};
use crate::device_facial::count;

const WAYS: &str = "/dashboard/account/ways";
const DOOR: &str = "/dashboard/sign-in/face";

/// The codes on the page that shows them.
pub(super) fn codes(text: &str) -> Vec<String> {
    let shown = text.split("id=\"lines-recovery-codes\">").nth(1).unwrap();
    shown
        .split('<')
        .next()
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

pub(super) async fn by_code(app: &App, email: &str, code: &str) -> (StatusCode, Visitor) {
    let visitor = Visitor::new(app);
    let seen = visitor
        .post(
            "/dashboard/sign-in/code",
            &[("email", email), ("code", code)],
        )
        .await;
    (seen.status, visitor)
}

/// The dashboard's own site, at which photos stand in for people.
async fn own_site(app: &App) -> Site {
    let state = &app.app.state;
    let site = site::dashboard_or_new(&state.db, &state.keys, &app.url, app.clock.now())
        .await
        .unwrap();
    app.change_settings(site.id, |settings| settings.liveness = Liveness::Off)
        .await;
    site
}

/// A phone that signs this account in, which its page says.
pub(super) async fn with_face(app: &App, visitor: &Visitor) -> Phone {
    let phone = pair_face(app, visitor).await;
    assert!(visitor.get(WAYS).await.text.contains(">ready<"));
    phone
}

/// A phone that signs this account in.
pub(super) async fn pair_face(app: &App, visitor: &Visitor) -> Phone {
    own_site(app).await;
    let page = visitor
        .post("/dashboard/account/face", &[("present", PASSWORD)])
        .await;
    assert_eq!(page.status, StatusCode::OK);
    let link = page.element("key-enrolment-link");
    let phone = Phone::pair(&link, &app.url, "test phone", app.clock.clone())
        .await
        .unwrap();
    assert!(visitor.get(WAYS).await.text.contains("no face yet"));
    phone.enrol(&[photos().of(0, 0)]).await.unwrap();
    phone
}

/// Asks at the door; the number that is shown.
pub(super) async fn ask(visitor: &Visitor, email: &str) -> i32 {
    let asked = visitor
        .post(DOOR, &[("email", email), ("next", "/dashboard/account")])
        .await;
    assert_eq!(
        (asked.status, asked.location.as_str()),
        (StatusCode::SEE_OTHER, DOOR),
        "{email}"
    );
    let page = visitor.get(DOOR).await;
    assert!(page.policy.contains("connect-src 'self'"));
    let digits = page
        .text
        .split("dash-digits\" aria-label=\"")
        .nth(1)
        .unwrap();
    digits[..2].parse().unwrap()
}

pub(super) async fn answer(phone: &Phone, number: i32, person: usize) -> bool {
    let waiting = phone.pending(0).await.unwrap();
    let id = waiting[0]["sign_on_id"].as_str().unwrap().parse().unwrap();
    phone
        .scan(id, Some(number), &[photos().of(person, 1)])
        .await
        .is_ok()
}

async fn state(visitor: &Visitor) -> String {
    visitor.get(&format!("{DOOR}/state")).await.text
}

/// The account's own face as a kind of credential.
pub(crate) async fn faces(app: &App) {
    let made = make_account(app, "face@example.com", false).await;
    let (db, keys) = (&app.app.state.db, &app.app.state.keys);
    let inside = signed_in(app, "face@example.com").await;
    assert!(!account::is_linked(db, &made).await.unwrap());
    let phone = with_face(app, &inside).await;
    assert!(account::is_linked(db, &made).await.unwrap());
    let signs_in = async || {
        let visitor = Visitor::new(app);
        let number = ask(&visitor, "face@example.com").await;
        let is_asked = !phone.pending(0).await.unwrap().is_empty();
        if is_asked {
            assert!(answer(&phone, number, 0).await);
        }
        visitor.post(&format!("{DOOR}/finish"), &[]).await.location == "/dashboard/account"
    };
    assert!(signs_in().await);
    let again = inside
        .post("/dashboard/account/face", &[("present", PASSWORD)])
        .await;
    assert!(again.text.contains("/phone/#"), "another phone");
    assert!(
        account::unlink_face(db, keys, &made, app.clock.now())
            .await
            .unwrap()
    );
    assert!(
        !account::unlink_face(db, keys, &made, app.clock.now())
            .await
            .unwrap()
    );
    assert!(!signs_in().await);
}

/// Recovery codes as a kind of credential.
pub(crate) async fn recovery_codes(app: &App) {
    let made = make_account(app, "codes@example.com", false).await;
    let (db, keys) = (&app.app.state.db, &app.app.state.keys);
    let inside = signed_in(app, "codes@example.com").await;
    let make = async || {
        codes(
            &inside
                .post("/dashboard/account/codes", &[("present", PASSWORD)])
                .await
                .text,
        )
    };
    let first = make().await;
    assert_eq!(account::codes_left(db, &made).await.unwrap(), 10);
    let second = make().await;
    assert_eq!(
        by_code(app, "codes@example.com", &first[0]).await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        by_code(app, "codes@example.com", &second[0]).await.0,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        by_code(app, "codes@example.com", &second[0]).await.0,
        StatusCode::UNAUTHORIZED
    );
    account::take_codes_back(db, keys, &made, app.clock.now())
        .await
        .unwrap();
    assert_eq!(account::codes_left(db, &made).await.unwrap(), 0);
    assert_eq!(
        by_code(app, "codes@example.com", &second[1]).await.0,
        StatusCode::UNAUTHORIZED
    );
}

fn limited(settings: &mut Settings) {
    settings.limits.sign_in_per_account = 3;
}

on_each_database! {
    async fn a_recovery_code_signs_in_once_and_no_other_account(app: App, |settings| MailServer::start(settings)) {
        let ann = make_account(&app, "ann@example.com", true).await;
        make_account(&app, "bob@example.com", false).await;
        account::ask_to_confirm(&app.app.state, &ann).await.unwrap();
        app.deliver().await;
        let mails = MailServer::of(&app.app.state.settings);
        account::confirm(&app.app.state, &mails.one().token()).await.unwrap();
        let visitor = signed_in(&app, "ann@example.com").await;
        let wrong = visitor.post("/dashboard/account/codes", &[("present", "a wrong password")]).await;
        assert!(wrong.status == StatusCode::UNAUTHORIZED && wrong.text.contains("present password is wrong"));
        let first = codes(&visitor.post("/dashboard/account/codes", &[("present", PASSWORD)]).await.text);
        assert_eq!(first.len(), 10);
        assert!(visitor.get(WAYS).await.text.contains("10 left"));
        for code in &first {
            assert_eq!(count(&app, &format!("select count(*) as n from recovery_codes where cast(code_hash as text) like '%{code}%'")).await, 0);
        }
        assert_eq!(by_code(&app, "bob@example.com", &first[0]).await.0, StatusCode::UNAUTHORIZED);
        let typed = first[0].to_uppercase().replace('-', " ");
        let (status, inside) = by_code(&app, "Ann@example.com", &typed).await;
        assert_eq!((status, inside.get("/dashboard").await.status), (StatusCode::SEE_OTHER, StatusCode::OK));
        assert_eq!(by_code(&app, "ann@example.com", &first[0]).await.0, StatusCode::UNAUTHORIZED, "once");
        let led = Visitor::new(&app).post("/dashboard/sign-in/code", &[("email", "ann@example.com"), ("code", &first[2])]).await.location;
        assert!(led.starts_with("/dashboard/join?token=al_"), "whoever needs a code has lost the password too: {led}");
        assert!(visitor.get(WAYS).await.text.contains("8 left"));
        let second = codes(&visitor.post("/dashboard/account/codes", &[("present", PASSWORD)]).await.text);
        assert_eq!(by_code(&app, "ann@example.com", &first[1]).await.0, StatusCode::UNAUTHORIZED, "new ones take their place");
        assert_eq!(by_code(&app, "ann@example.com", &second[1]).await.0, StatusCode::SEE_OTHER);
        visitor.post("/dashboard/account/codes/remove", &[("present", PASSWORD)]).await;
        assert_eq!(by_code(&app, "ann@example.com", &second[2]).await.0, StatusCode::UNAUTHORIZED);
        app.deliver().await;
        let told: Vec<String> = mails.take().into_iter().map(|letter| letter.text).collect();
        let of = |what: &str| told.iter().filter(|text| text.contains(what)).count();
        assert_eq!((of("new recovery codes"), of("by a recovery code"), of("taken back")), (2, 3, 1), "{told:?}");
    }

    async fn of_two_at_once_one_uses_a_code(app: App) {
        make_account(&app, "ann@example.com", true).await;
        let visitor = signed_in(&app, "ann@example.com").await;
        let code = &codes(&visitor.post("/dashboard/account/codes", &[("present", PASSWORD)]).await.text)[0];
        let (one, two) = tokio::join!(by_code(&app, "ann@example.com", code), by_code(&app, "ann@example.com", code));
        assert!((one.0 == StatusCode::SEE_OTHER) != (two.0 == StatusCode::SEE_OTHER));
    }

    async fn codes_are_guessed_as_slowly_as_passwords_and_tell_nothing(app: App, |settings| limited(settings)) {
        make_account(&app, "ann@example.com", true).await;
        let mut answers = Vec::new();
        for email in ["ann@example.com", "nobody@example.com"] {
            drop(app.statements.take());
            let seen = Visitor::new(&app).post("/dashboard/sign-in/code", &[("email", email), ("code", "k7wq-0d3m-x9ra-5tbe")]).await;
            let mut steps = app.statements.take();
            steps.retain(|sql| sql.contains("recovery_codes") || sql.contains("accounts"));
            answers.push((seen.status, seen.text.replace(email, "EMAIL"), steps));
            for _ in 0..2 {
                by_code(&app, email, "k7wq-0d3m-x9ra-5tbe").await;
            }
            assert_eq!(by_code(&app, email, "k7wq-0d3m-x9ra-5tbe").await.0, StatusCode::TOO_MANY_REQUESTS);
        }
        assert_eq!(answers[0], answers[1]);
    }

    async fn an_account_signs_in_by_its_own_face(app: App) {
        make_account(&app, "ann@example.com", false).await;
        assert_eq!(Visitor::new(&app).get(DOOR).await.location, "/dashboard/sign-in", "nobody has set it up");
        let inside = signed_in(&app, "ann@example.com").await;
        let wrong = inside.post("/dashboard/account/face", &[("present", "a wrong password")]).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        let phone = with_face(&app, &inside).await;
        let (visitor, other) = (Visitor::new(&app), Visitor::new(&app));
        assert!(visitor.get("/dashboard/sign-in").await.text.contains(DOOR));
        let number = ask(&visitor, "Ann@example.com").await;
        assert_eq!(state(&visitor).await, "{\"state\":\"waiting\"}");
        assert_eq!(visitor.post(&format!("{DOOR}/finish"), &[]).await.location, DOOR, "nobody has answered");
        assert!(answer(&phone, number, 0).await);
        assert_eq!(state(&visitor).await, "{\"state\":\"over\"}");
        // It is this browser's alone.
        assert_eq!(other.post(&format!("{DOOR}/finish"), &[]).await.location, DOOR);
        assert!(other.get("/dashboard").await.location.contains("sign-in"));
        let before = visitor.cookie();
        assert_eq!(visitor.post(&format!("{DOOR}/finish"), &[]).await.location, "/dashboard/account");
        assert_eq!(visitor.get("/dashboard").await.status, StatusCode::OK);
        assert_ne!(visitor.cookie(), before, "under a new name of the session");
        other.hold(before);
        assert!(other.post(&format!("{DOOR}/finish"), &[]).await.location == DOOR && other.get("/dashboard").await.location.contains("sign-in"));
        // Another face is none of theirs.
        let number = ask(&other, "ann@example.com").await;
        assert!(!answer(&phone, number, 1).await);
        assert!(other.post(&format!("{DOOR}/finish"), &[]).await.location == DOOR && other.get("/dashboard").await.location.contains("sign-in"));
        let text = other.post(&format!("{DOOR}/cancel"), &[]).await.location;
        assert_eq!(text, "/dashboard/sign-in");
        // Taken away, it signs nobody in.
        inside.post("/dashboard/account/face/remove", &[("present", PASSWORD)]).await;
        assert!(inside.get(WAYS).await.text.contains("sign in without a password"));
        assert_eq!(count(&app, "select count(*) as n from account_faces").await + count(&app, "select count(*) as n from clients").await, 0);
        assert!(phone.pending(0).await.is_err());
    }

    async fn the_door_tells_nobody_who_has_set_up_a_face(app: App) {
        make_account(&app, "ann@example.com", false).await;
        make_account(&app, "bob@example.com", false).await;
        let phone = with_face(&app, &signed_in(&app, "ann@example.com").await).await;
        let mut steps = Vec::new();
        for email in ["ann@example.com", "bob@example.com", "nobody@example.com"] {
            let visitor = Visitor::new(&app);
            drop(app.statements.take());
            ask(&visitor, email).await;
            let mut taken = app.statements.take();
            taken.retain(|sql| sql.to_lowercase().contains("account"));
            steps.push(taken);
            assert_eq!(state(&visitor).await, "{\"state\":\"waiting\"}", "{email}");
        }
        assert!(steps.iter().all(|taken| *taken == steps[0]), "{steps:?}");
        assert_eq!(phone.pending(0).await.unwrap().len(), 1);
    }

    async fn only_administrators_look_after_the_dashboards_own_site(app: App) {
        let site = own_site(&app).await;
        make_account(&app, "root@example.com", true).await;
        let eve = make_account(&app, "eve@example.com", false).await;
        let state = &app.app.state;
        let place = (eve.id, site.id);
        account::give_role(&state.db, &state.keys, place, (Role::Owner, account::By::Administrator), app.clock.now()).await.unwrap();
        let visitor = signed_in(&app, "eve@example.com").await;
        assert!(!visitor.get("/dashboard").await.text.contains("Axiam dashboard"));
        for page in ["", "/clients", "/keys", "/access"] {
            let path = format!("/dashboard/apps/{}{page}", site.id);
            assert_eq!(visitor.get(&path).await.status, StatusCode::NOT_FOUND, "{page}");
        }
        let root = signed_in(&app, "root@example.com").await;
        let path = format!("/dashboard/apps/{}/access", site.id);
        let given = root.post(&path, &[("email", "eve@example.com"), ("role", "owner")]).await;
        assert!(given.status == StatusCode::UNPROCESSABLE_ENTITY && given.text.contains("Only administrators may"));
        // In test mode an address would do.
        root.post(&format!("/dashboard/apps/{}/settings/test-mode", site.id), &[("to", "on")]).await;
        assert_eq!(Visitor::new(&app).get(DOOR).await.location, "/dashboard/sign-in");
    }
}
