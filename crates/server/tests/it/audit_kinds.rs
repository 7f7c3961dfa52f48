//! Every kind of line is written by a real route, command or sweep.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::Arc,
};

use phone::{Key, Request, content_digest};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;
use server::{app::API, audit::Action, platform::clock::Clock};
use testkit::{Answer, App, Backend, Person, Scripted, on_each_database, service_account};

use crate::{
    dashboard::{Authenticator, PASSWORD, add_passkey, dev_mail, make_account, signed_in},
    device_facial::count,
    device_register::code,
};

/// Every kind that is in the log.
async fn written(app: &App) -> Vec<String> {
    let db = &app.app.state.db;
    let query = "select distinct action from audit_events";
    let statement = Statement::from_string(db.get_database_backend(), query);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get("", "action").unwrap())
        .collect()
}

/// The command line on the app's database.
fn axiam(app: &App, arguments: &[&str]) -> String {
    let done = command(app).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(done.stdout).unwrap()
}

fn command(app: &App) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_axiam"));
    command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .env("AXIAM_DATABASE_URL", &app.database.url)
        .env_remove("AXIAM_REDIS_URL")
        .arg("--data-dir")
        .arg(app.database.folder());
    command
}

fn face(x: f32) -> Vec<u8> {
    Scripted::photo(&[x, 0.5])
}

/// What the operator does.
fn operate(app: &App, site: &Backend) {
    let id = site.site_id.to_string();
    let other = axiam(
        app,
        &["site", "create", "--url", "https://b.example", "--json"],
    );
    let other: serde_json::Value = serde_json::from_str(&other).unwrap();
    let other = other["site_id"].as_str().unwrap();
    for command in ["rotate-secret", "revoke-tokens", "disable", "enable"] {
        axiam(app, &["site", command, other]);
    }
    axiam(app, &["site", "rename", &id, "Ann’s shop"]);
    axiam(app, &["site", "set", &id, "tries=2", "adaptation=true"]);
    axiam(app, &["site", "test-mode", &id, "on"]);
    axiam(app, &["site", "test-mode", &id, "off"]);
    operate_webhooks(app, &id);
    operate_pushes(app, &id);
    axiam(app, &["keys", "rotate"]);
    let mut serving = command(app)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut greeting = String::new();
    BufReader::new(serving.stdout.take().unwrap())
        .read_line(&mut greeting)
        .unwrap();
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert!(greeting.contains("running"), "{greeting}");
}

fn operate_pushes(app: &App, site: &str) {
    let file = app.database.folder().join("key.json");
    std::fs::write(&file, service_account().0.to_string()).unwrap();
    let set = ["push", "account", "set", file.to_str().unwrap()];
    axiam(app, &set);
    axiam(app, &["push", "account", "remove"]);
    axiam(app, &[&set[..], &["--site", site]].concat());
    assert!(axiam(app, &["push", "account", "list"]).contains("shop-1234"));
    assert!(axiam(app, &["push", "list", site]).contains("Nothing"));
}

fn operate_webhooks(app: &App, site: &str) {
    let url = "https://hooks.example/axiam";
    let added = axiam(
        app,
        &["site", "webhook", "add", site, "--url", url, "--json"],
    );
    let added: serde_json::Value = serde_json::from_str(&added).unwrap();
    let id = added["webhook_id"].as_str().unwrap();
    for command in ["rotate-secret", "disable", "enable", "remove"] {
        axiam(app, &["site", "webhook", command, site, id]);
    }
}

/// What a site with a Redis user does.
fn operate_redis(app: &App, site: &Backend) -> bool {
    let Ok(redis) = std::env::var("AXIAM_TEST_REDIS_URL") else {
        testkit::skipped("Redis; `make test` starts one");
        return false;
    };
    for how in ["--rotate", "--remove"] {
        let done = command(app)
            .env("AXIAM_REDIS_URL", &redis)
            .args(["site", "redis", &site.site_id.to_string(), how])
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
    true
}

/// What a person goes through: enrolment, sign-ons with every end, leaving.
async fn live(app: &App, site: &Backend) {
    let ann = site.paired("ann@example.com").await;
    site.try_push(ann.client_id).await;
    ann.phone.enrol(&[face(0.0)]).await.unwrap();
    let push = json!({ "push": { "kind": "none" } });
    ann.phone.call("/device/push", &push).await.unwrap();
    let verified = site.push(ann.client_id).await;
    ann.phone
        .scan(ann.waiting().await, None, &[face(0.05)])
        .await
        .unwrap();
    let session = site.status(&verified).await.text("client_session_token");
    assert_eq!(site.redeem(&session, ann.client_id).await.code(), 0);
    assert_eq!(site.redeem(&session, ann.client_id).await.code(), 1040);
    site.push(ann.client_id).await;
    ann.phone.deny(ann.waiting().await, false).await.unwrap();
    ann.phone.enrol(&[face(0.9)]).await.unwrap_err();
    ann.phone.enrol(&[face(0.0)]).await.unwrap();
    let cancelled = site.push(ann.client_id).await;
    site.post("/login/cancel", &json!({ "verification_token": cancelled }))
        .await;
    site.push(ann.client_id).await;
    app.clock.advance(601);
    app.app.sweep().await.unwrap();
    fail_until_locked(app, site, &ann).await;
    site.post("/client/unlock", &json!({ "id": ann.client_id }))
        .await;
    site.push(ann.client_id).await;
    ann.phone.deny(ann.waiting().await, true).await.unwrap();
    axiam(
        app,
        &["face", "reissue", "--site", &site.site_id.to_string()],
    );
    leave(site, &ann).await;
}

async fn fail_until_locked(app: &App, site: &Backend, ann: &Person) {
    loop {
        let pushed = site.try_push(ann.client_id).await;
        match pushed.code() {
            0 => {}
            1016 => break,
            other => panic!("{other}"),
        }
        let waiting = ann.waiting().await;
        for _ in 0..2 {
            let refused = ann.phone.scan(waiting, None, &[face(0.9)]).await;
            assert!(refused.is_err());
        }
        app.clock.advance(150);
    }
}

/// A second phone comes, fails until it is locked, is confirmed and unpaired, its code is tried again, and the
/// person is erased.
async fn leave(site: &Backend, ann: &Person) {
    let link = site.enrolment_link(ann.client_id, "login").await;
    let other = site.try_pair(&link).await.unwrap();
    assert_eq!(code(site.try_pair(&link).await.map(drop)), 1051);
    let id = other.pairing().device_id;
    for _ in 0..5 {
        other.enrol(&[face(0.9)]).await.unwrap_err();
    }
    ann.phone.confirm(id).await.unwrap();
    ann.phone.unpair(id).await.unwrap();
    site.post("/client/delete", &json!({ "id": ann.client_id }))
        .await;
}

/// What is refused to strangers and pages.
async fn refuse(site: &Backend) {
    let widget = site.with_token(&site.token_of("widget").await);
    let body = json!({ "email": "bob@example.com" });
    assert_eq!(widget.post("/client/create", &body).await.code(), 1010);
    let wrong = json!({ "api_key": site.api_key, "secret_key": "wrong" });
    let refused = async || site.post("/application_auth", &wrong).await.code();
    assert_eq!(refused().await, 1001);
    while refused().await != 1026 {}
}

/// What the operator takes back one by one, by the names that the lists give.
async fn take_back(app: &App, site: &Backend, person: &Person) {
    site.enrolment_link(person.client_id, "login").await;
    let id = site.site_id.to_string();
    for (list, name, revoke) in [
        ("tokens", "jti", ["revoke-tokens", "--jti"].as_slice()),
        ("codes", "id", &["revoke-codes"]),
        ("secrets", "name", &["revoke-secret"]),
    ] {
        let listed = axiam(app, &["site", list, &id, "--json"]);
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        let one = listed[0][name].as_str().unwrap();
        let arguments = [&["site", revoke[0], &id], &revoke[1..], &[one]].concat();
        assert!(axiam(app, &arguments).contains(one));
        // Once: what it names is worth nothing any more.
        let again = command(app).args(&arguments).output().unwrap();
        assert!(!again.status.success());
        assert!(!axiam(app, &["site", list, &id]).contains(one));
    }
}

/// What people do at the dashboard.
async fn manage(app: &App, site: &Backend) {
    let id = site.site_id.to_string();
    for email in ["ann@example.com", "bob@example.com"] {
        make_account(app, email, email.starts_with("ann")).await;
    }
    let place = ["--email", "bob@example.com", "--site", id.as_str()];
    let with_role = [&["account", "grant"], &place[..], &["--role", "viewer"]].concat();
    axiam(app, &with_role);
    axiam(app, &[&["account", "revoke"], &place[..]].concat());
    let (ann, there) = (
        signed_in(app, "ann@example.com").await,
        signed_in(app, "ann@example.com").await,
    );
    ann.get(&format!("/dashboard/apps/{id}/sign-ons/csv")).await;
    ann.post("/dashboard/account/sessions/end-others", &[])
        .await;
    assert!(there.get("/dashboard").await.location.contains("sign-in"));
    ann.post("/dashboard/account/confirm", &[]).await;
    app.deliver().await;
    let letters = ann.get(&dev_mail(app)).await.text;
    let token = letters.split("/dashboard/confirm?token=").nth(1).unwrap();
    let is_of_it = |c: &char| c.is_ascii_alphanumeric() || "-_".contains(*c);
    let token: String = token.chars().take_while(is_of_it).collect();
    ann.post("/dashboard/confirm", &[("token", &token)]).await;
    let proof = [("present", PASSWORD)];
    for way in ["codes", "face", "face/remove"] {
        ann.post(&format!("/dashboard/account/{way}"), &proof).await;
    }
    let engine = Arc::new(Scripted::version("1"));
    let named = app
        .beside(engine, |settings| {
            settings.server.public_url = "https://signin.example".into();
        })
        .await;
    let there = signed_in(&named, "ann@example.com").await;
    add_passkey(&there, &Authenticator::new(7)).await;
    axiam(
        app,
        &[
            "account",
            "drop-way",
            "--email",
            "ann@example.com",
            "passkeys",
        ],
    );
    let bob = ["account", "set-email", "--email", "bob@example.com"];
    axiam(app, &[&bob[..], &["--to", "robert@example.com"]].concat());
    axiam(app, &["account", "erase", "--email", "robert@example.com"]);
    ann.post("/dashboard/sign-out", &[]).await;
    ann.post("/dashboard/sign-in", &[("email", "ann@example.com")])
        .await;
}

/// A phone's proof is sent twice.
async fn replay(app: &App, person: &Person) {
    let memory = person.phone.pairing();
    let url = format!("{}{API}/device/challenge", app.url);
    let proof = Key::from_pem(&memory.key).unwrap().prove(&Request {
        method: "POST",
        url: &url,
        token: Some(&memory.device_token),
        body: b"{}",
        at: app.clock.now(),
    });
    let request = reqwest::Client::new()
        .post(&url)
        .header("DPoP", proof.unwrap())
        .header("Authorization", format!("DPoP {}", memory.device_token))
        .header("Content-Digest", content_digest(b"{}"))
        .body("{}");
    let again = request.try_clone().unwrap();
    assert_eq!(Answer::to(request).await.code(), 0);
    assert_eq!(Answer::to(again).await.code(), 1050);
}

on_each_database! {
    async fn every_kind_is_written_by_what_is_really_done(app: App) {
        let engine = Arc::new(Scripted::version("1"));
        let app = App::start_with(app.database.clone(), engine, |settings| settings.limits.auth_per_ip = 3).await;
        let site = app.site("a.example").await;
        let with_redis = operate_redis(&app, &site);
        operate(&app, &site);
        manage(&app, &site).await;
        live(&app, &site).await;
        let bob = site.paired("bob@example.com").await;
        replay(&app, &bob).await;
        refuse(&site).await;
        take_back(&app, &site, &bob).await;
        // Someone spoils the heads, and work goes on.
        app.app.state.db.execute_unprepared("update audit_heads set seq = seq - 1").await.unwrap();
        site.client("carol@example.com").await;
        axiam(&app, &["keys", "rotate-signing"]);
        let written = written(&app).await;
        let without_redis = [Action::RedisUserGiven, Action::RedisUserRemoved];
        for kind in Action::ALL {
            let is_there = written.iter().any(|one| one == kind.as_str());
            assert!(is_there || (!with_redis && without_redis.contains(kind)), "{} is never written", kind.as_str());
        }
        assert!(written.iter().all(|one| Action::ALL.iter().any(|kind| kind.as_str() == one)), "{written:?}");
    }

    async fn a_flood_of_refusals_is_no_flood_of_lines(app: App) {
        let site = app.site("a.example").await;
        let widget = site.with_token(&site.token_of("widget").await);
        let refuse = async || widget.post("/client/create", &json!({ "email": "bob@example.com" })).await.code();
        let lines = "select count(*) as n from audit_events where action = 'access_refused' and actor = 'page' and network = '127.0.0.1'";
        for _ in 0..20 {
            assert_eq!(refuse().await, 1010);
        }
        assert_eq!(count(&app, lines).await, 1);
        app.clock.advance(301);
        assert_eq!(refuse().await, 1010);
        assert_eq!(count(&app, lines).await, 2);
    }

    async fn settings_say_from_what_to_what_and_who_changed_them(app: App) {
        let site = app.site("a.example").await;
        let id = site.site_id.to_string();
        axiam(&app, &["site", "set", &id, "tries=5", "number_matching=true"]);
        // What changes nothing is no change.
        axiam(&app, &["site", "set", &id, "tries=5"]);
        let lines = "select count(*) as n from audit_events where action = 'settings_changed' and actor like 'operator%'";
        assert_eq!(count(&app, lines).await, 1);
        let detail = format!("{lines} and detail = 'number_matching: false -> true, tries: 3 -> 5'");
        assert_eq!(count(&app, &detail).await, 1);
    }
}
