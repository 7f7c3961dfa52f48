//! Another address for one's account, and leaving.

use reqwest::StatusCode;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use server::{
    account::{self, By, Role},
    erasure::Means,
    platform::clock::Clock,
};
use testkit::{App, MailServer, on_each_database};
use uuid::Uuid;

use super::{
    Authenticator, Visitor, add_passkey,
    letters::{confirmed, mails, sent},
    make_account, signed_in,
    visitor::PASSWORD,
    ways::with_face,
};
use crate::device_facial::count;

const OWN: &str = "/dashboard/account";
const ERASE: &str = "/dashboard/account/erase";

async fn ask(visitor: &Visitor, email: &str, present: &str) -> super::visitor::Seen {
    let fields = [("email", email), ("present", present)];
    visitor.post("/dashboard/account/email", &fields).await
}

async fn take(app: &App, token: &str) -> super::visitor::Seen {
    let visitor = Visitor::new(app);
    visitor
        .post("/dashboard/new-address", &[("token", token)])
        .await
}

async fn signs_in(app: &App, email: &str) -> bool {
    let fields = [("email", email), ("password", PASSWORD)];
    let seen = Visitor::new(app).post("/dashboard/sign-in", &fields).await;
    seen.status == StatusCode::SEE_OTHER
}

async fn leave(visitor: &Visitor, email: &str, present: &str) -> super::visitor::Seen {
    let fields = [("email", email), ("present", present)];
    visitor.post(ERASE, &fields).await
}

async fn lines(app: &App, action: &str) -> i64 {
    let query = format!("select count(*) as n from audit_events where action = '{action}'");
    count(app, &query).await
}

async fn own(app: &App, account: Uuid, site: Uuid) {
    let state = &app.app.state;
    let role = (Role::Owner, By::Administrator);
    account::give_role(
        &state.db,
        &state.keys,
        (account, site),
        role,
        app.clock.now(),
    )
    .await
    .unwrap();
}

/// Every column of every table, as something that can be looked through as text.
async fn columns(app: &App) -> Vec<(String, String)> {
    let db = &app.app.state.db;
    let query = match db.get_database_backend() {
        DbBackend::Postgres => {
            "select table_name as name, column_name as part from information_schema.columns where table_schema = current_schema()"
        }
        _ => {
            "select m.name as name, c.name as part from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table'"
        }
    };
    let statement = Statement::from_string(db.get_database_backend(), query);
    let rows = db.query_all_raw(statement).await.unwrap();
    let text = |row: &sea_orm::QueryResult, part| row.try_get::<String>("", part).unwrap();
    rows.iter()
        .map(|row| (text(row, "name"), text(row, "part")))
        .collect()
}

/// Where an account is named, by its address or its id.
async fn named(app: &App, email: &str, id: Uuid) -> Vec<String> {
    let is_postgres = app.app.state.db.get_database_backend() == DbBackend::Postgres;
    let mut found = Vec::new();
    for (table, column) in columns(app).await {
        let (text, bytes) = match is_postgres {
            true => (
                format!("cast(\"{column}\" as text)"),
                format!("cast(\"{column}\" as text)"),
            ),
            false => (
                format!("cast(\"{column}\" as text)"),
                format!("hex(\"{column}\")"),
            ),
        };
        let query = format!(
            "select count(*) as n from {table} where lower({text}) like '%{email}%' or {text} like '%{id}%' or lower({bytes}) like '%{}%'",
            id.simple()
        );
        if count(app, &query).await > 0 {
            found.push(format!("{table}.{column}"));
        }
    }
    found.sort();
    found
}

on_each_database! {
    async fn an_address_is_changed_by_a_letter_to_the_new_one(app: App, |settings| MailServer::start(settings)) {
        let made = confirmed(&app, "ann@example.com").await;
        let ann = signed_in(&app, "ann@example.com").await;
        // A link that was sent to the address of before is worth nothing afterwards.
        Visitor::new(&app).post("/dashboard/forgot", &[("email", "ann@example.com")]).await;
        let forgotten = sent(&app).await.remove(0).token();
        let asked = ask(&ann, " Zoe@Example.com ", PASSWORD).await;
        assert_eq!(asked.location, OWN);
        assert!(ann.get(OWN).await.text.contains("A letter to Zoe@Example.com is on its way"));
        assert!(signs_in(&app, "ann@example.com").await && !signs_in(&app, "zoe@example.com").await, "asking changes nothing");
        let letters = sent(&app).await;
        let to = |address: &str| letters.iter().find(|letter| letter.to == [address.to_owned()]).unwrap();
        assert!(to("ann@example.com").text.contains("asked for another e-mail"), "{letters:?}");
        let letter = to("Zoe@Example.com");
        let page = Visitor::new(&app).get(&letter.link().replace(&app.url, "")).await;
        assert!(page.text.contains("This is my address") && signs_in(&app, "ann@example.com").await, "machines follow links");
        let token = page.hidden("token");
        for path in ["/dashboard/confirm", "/dashboard/join"] {
            let fields = [("token", token.as_str()), ("password", "a password of somebody else")];
            assert_eq!(Visitor::new(&app).post(path, &fields).await.status, StatusCode::GONE, "{path}: it does this alone");
        }
        assert_eq!(take(&app, &token).await.status, StatusCode::OK);
        assert_eq!(take(&app, &token).await.status, StatusCode::GONE, "once");
        assert!(signs_in(&app, "zoe@example.com").await && !signs_in(&app, "ann@example.com").await);
        let own = ann.get(OWN).await.text;
        assert!(own.contains("Zoe@Example.com") && !own.contains("not confirmed"), "its session goes on");
        let fields = [("token", forgotten.as_str()), ("password", "a password of somebody else")];
        assert_eq!(Visitor::new(&app).post("/dashboard/join", &fields).await.status, StatusCode::GONE);
        let told = sent(&app).await;
        assert!(told.len() == 1 && told[0].to == ["ann@example.com"] && told[0].text.contains("Your account has another address"), "{told:?}");
        let detail = format!("select count(*) as n from audit_events where action = 'address_changed' and detail = 'account {}, by a link'", made.id);
        assert_eq!(count(&app, &detail).await, 1);
    }

    async fn nobody_learns_who_has_an_address_by_asking_for_it(app: App, |settings| MailServer::start(settings)) {
        confirmed(&app, "ann@example.com").await;
        confirmed(&app, "bob@example.com").await;
        let ann = signed_in(&app, "ann@example.com").await;
        let mut answers = Vec::new();
        for email in ["bob@example.com", "new@example.com"] {
            drop(app.statements.take());
            let seen = ask(&ann, email, PASSWORD).await;
            let statements = app.statements.take();
            answers.push((seen.status, seen.location, ann.get(OWN).await.text.replace(email, "EMAIL"), statements.len()));
        }
        assert_eq!(answers[0], answers[1]);
        let letters = sent(&app).await;
        let bob = letters.iter().find(|letter| letter.to == ["bob@example.com"]).unwrap();
        assert!(bob.text.contains("You have an account by it already") && !bob.text.contains("token="), "{}", bob.text);
        // Somebody has it by the time that the link is followed.
        let token = letters.iter().find(|letter| letter.to == ["new@example.com"]).unwrap().token();
        make_account(&app, "new@example.com", false).await;
        let late = take(&app, &token).await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        assert!(signs_in(&app, "ann@example.com").await);
    }

    async fn without_the_password_or_an_address_nothing_is_sent(app: App, |settings| MailServer::start(settings)) {
        confirmed(&app, "ann@example.com").await;
        let ann = signed_in(&app, "ann@example.com").await;
        for (email, present, status, why) in [
            ("new@example.com", "a wrong password", StatusCode::UNAUTHORIZED, "present password is wrong"),
            ("nonsense", PASSWORD, StatusCode::UNPROCESSABLE_ENTITY, "whole address"),
            ("ANN@example.com", PASSWORD, StatusCode::UNPROCESSABLE_ENTITY, "your address already"),
        ] {
            let seen = ask(&ann, email, present).await;
            assert_eq!(seen.status, status, "{email}");
            assert!(seen.text.contains(why) && seen.text.contains(&format!("value=\"{email}\"")), "{email}: {}", seen.text);
        }
        assert!(sent(&app).await.is_empty());
    }

    async fn who_knew_the_password_of_before_gets_no_link_by_waiting(app: App, |settings| MailServer::start(settings)) {
        confirmed(&app, "ann@example.com").await;
        let (thief, ann) = (signed_in(&app, "ann@example.com").await, signed_in(&app, "ann@example.com").await);
        ask(&thief, "one@evil.example", PASSWORD).await;
        let early = sent(&app).await;
        let early = early.iter().find(|letter| letter.to == ["one@evil.example"]).unwrap().token();
        // Neither it nor the word to Ann gets through at first.
        mails(&app).refuse("451 not now");
        mails(&app).refuse("451 not now");
        ask(&thief, "two@evil.example", PASSWORD).await;
        sent(&app).await;
        let fields = [("present", PASSWORD), ("password", "another long password")];
        assert_eq!(ann.post("/dashboard/account/password", &fields).await.status, StatusCode::SEE_OTHER);
        assert_eq!(take(&app, &early).await.status, StatusCode::GONE);
        app.clock.advance(60);
        let letters = sent(&app).await;
        assert!(letters.iter().all(|letter| letter.to == ["ann@example.com"]), "{letters:?}");
    }

    async fn ones_face_follows_to_the_new_address(app: App, |settings| MailServer::start(settings)) {
        confirmed(&app, "ann@example.com").await;
        let ann = signed_in(&app, "ann@example.com").await;
        let _phone = with_face(&app, &ann).await;
        sent(&app).await;
        ask(&ann, "zoe@example.com", PASSWORD).await;
        let letters = sent(&app).await;
        let token = letters.iter().find(|letter| letter.to == ["zoe@example.com"]).unwrap().token();
        assert_eq!(take(&app, &token).await.status, StatusCode::OK);
        assert_eq!(count(&app, "select count(*) as n from clients where email = 'zoe@example.com'").await, 1);
        // Who has the address of before now takes nobody's face away.
        make_account(&app, "ann@example.com", false).await;
        let other = signed_in(&app, "ann@example.com").await;
        other.post("/dashboard/account/face", &[("present", PASSWORD)]).await;
        assert!(ann.get("/dashboard/account/ways").await.text.contains(">ready<"));
    }

    async fn a_server_without_mail_says_who_changes_an_address(app: App, |settings| settings.server.public_url = "https://signin.example".into()) {
        let made = make_account(&app, "ann@example.com", true).await;
        let ann = signed_in(&app, "ann@example.com").await;
        let page = ann.get(OWN).await.text;
        assert!(page.contains("axiam account set-email --email ann@example.com") && !page.contains("/dashboard/account/email"));
        assert_eq!(ask(&ann, "zoe@example.com", PASSWORD).await.location, OWN);
        assert_eq!(count(&app, "select count(*) as n from outbox").await, 0);
        let means = Means::of(&app.app.state);
        make_account(&app, "bob@example.com", false).await;
        assert!(account::set_address(&means, &made, "bob@example.com").await.is_err());
        account::set_address(&means, &made, "zoe@example.com").await.unwrap();
        assert!(signs_in(&app, "zoe@example.com").await && !signs_in(&app, "ann@example.com").await);
    }

    async fn an_account_that_leaves_leaves_nothing(app: App, |settings| { MailServer::start(settings); settings.accounts.sign_up = server::platform::config::SignUp::Invited; }) {
        make_account(&app, "root@example.com", true).await;
        let made = confirmed(&app, "ann@example.com").await;
        let site = app.site("a.example").await;
        own(&app, made.id, site.site_id).await;
        let other = make_account(&app, "other@example.com", false).await;
        own(&app, other.id, site.site_id).await;
        let (ann, there) = (signed_in(&app, "ann@example.com").await, signed_in(&app, "ann@example.com").await);
        let _phone = with_face(&app, &ann).await;
        ann.post("/dashboard/account/codes", &[("present", PASSWORD)]).await;
        make_passkey(&app).await;
        ask(&ann, "zoe@example.com", PASSWORD).await;
        ann.post(&format!("/dashboard/apps/{}/access", site.site_id), &[("email", "new@example.com"), ("role", "viewer")]).await;
        Visitor::new(&app).post("/dashboard/forgot", &[("email", "Ann@example.com")]).await;
        sent(&app).await;
        Visitor::new(&app).post("/dashboard/forgot", &[("email", "ann@example.com")]).await;
        let before = named(&app, "ann@example.com", made.id).await;
        for place in ["accounts.email", "account_faces.account_id", "account_links.account_id", "clients.email", "memberships.account_id", "outbox.body", "passkeys.account_id", "recovery_codes.account_id", "sessions.account_id"] {
            assert!(before.iter().any(|one| one == place), "{place} is not tried: {before:?}");
        }
        for (email, present, status) in [("ann@example.com", "a wrong password", StatusCode::UNAUTHORIZED), ("", PASSWORD, StatusCode::UNPROCESSABLE_ENTITY)] {
            assert_eq!(leave(&ann, email, present).await.status, status);
        }
        assert_eq!(named(&app, "ann@example.com", made.id).await, before);
        let gone = leave(&ann, "Ann@Example.com", PASSWORD).await;
        assert_eq!(gone.status, StatusCode::OK);
        assert!(gone.text.contains("Your account is erased") && ann.cookie().is_none());
        // What was done by it, by its id alone.
        assert_eq!(named(&app, "ann@example.com", made.id).await, ["audit_events.actor", "audit_events.detail"]);
        assert_eq!(count(&app, "select count(*) as n from audit_events where detail like '%@%' or actor like '%@%'").await, 0);
        assert!(there.get("/dashboard").await.location.contains("sign-in") && !signs_in(&app, "ann@example.com").await);
        assert_eq!((lines(&app, "account_erased").await, lines(&app, "role_taken").await), (1, 1));
        assert_eq!(count(&app, "select count(*) as n from clients").await, 0, "with the face");
        // The address is free.
        make_account(&app, "ann@example.com", false).await;
        assert!(signed_in(&app, "ann@example.com").await.get("/dashboard").await.text.contains("No apps yet"));
    }

    async fn who_is_needed_stays_until_somebody_else_is_there(app: App) {
        let root = make_account(&app, "root@example.com", true).await;
        let ann = make_account(&app, "ann@example.com", false).await;
        let (one, two) = (app.site("one.example").await, app.site("two.example").await);
        own(&app, ann.id, one.site_id).await;
        own(&app, ann.id, two.site_id).await;
        own(&app, root.id, two.site_id).await;
        let inside = signed_in(&app, "ann@example.com").await;
        let page = inside.get(ERASE).await.text;
        assert!(page.contains("One app has</strong>") || page.contains("One app has no other owner"), "{page}");
        assert!(page.contains("one.example") && !page.contains("two.example") && !page.contains("Erase my account"));
        let refused = leave(&inside, "ann@example.com", PASSWORD).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(refused.text.contains("You are the only owner of one.example"));
        let means = Means::of(&app.app.state);
        let said = account::erase_by_operator(&means, &ann).await.unwrap_err();
        assert!(said.to_string().contains("only owner of one.example"));
        own(&app, root.id, one.site_id).await;
        assert_eq!(leave(&inside, "ann@example.com", PASSWORD).await.status, StatusCode::OK);
        // Who runs the installation alone goes on doing so; somebody who was only asked does not do.
        let state = &app.app.state;
        account::create(&state.db, &state.keys, "asked@example.com", true, app.clock.now()).await.unwrap();
        for site in [&one, &two] {
            let other = make_account(&app, &format!("{}@example.com", site.site_id), false).await;
            own(&app, other.id, site.site_id).await;
        }
        let inside = signed_in(&app, "root@example.com").await;
        let refused = leave(&inside, "root@example.com", PASSWORD).await;
        assert!(refused.status == StatusCode::CONFLICT && refused.text.contains("Nobody else runs this installation"));
        make_account(&app, "next@example.com", true).await;
        assert_eq!(leave(&inside, "root@example.com", PASSWORD).await.status, StatusCode::OK);
    }

    async fn of_two_owners_who_leave_at_once_one_stays(app: App) {
        make_account(&app, "root@example.com", true).await;
        let site = app.site("a.example").await;
        let mut leaving = Vec::new();
        for email in ["ann@example.com", "bob@example.com"] {
            let made = make_account(&app, email, false).await;
            own(&app, made.id, site.site_id).await;
            leaving.push((signed_in(&app, email).await, email));
        }
        let [(ann, first), (bob, second)] = leaving.try_into().ok().unwrap();
        let (one, two) = tokio::join!(leave(&ann, first, PASSWORD), leave(&bob, second, PASSWORD));
        let mut seen = [one.status, two.status];
        seen.sort();
        assert_eq!(seen, [StatusCode::OK, StatusCode::CONFLICT]);
        assert_eq!(count(&app, "select count(*) as n from memberships where role = 'owner'").await, 1);
    }
}

/// A passkey, which needs a name.
async fn make_passkey(app: &App) {
    let engine = std::sync::Arc::new(testkit::Scripted::version("1"));
    let named = app
        .beside(engine, |settings| {
            settings.server.public_url = "https://signin.example".into();
        })
        .await;
    let there = signed_in(&named, "ann@example.com").await;
    add_passkey(&there, &Authenticator::new(7)).await;
}
