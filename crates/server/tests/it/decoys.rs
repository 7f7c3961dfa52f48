//! Whoever types addresses into a page learns nothing of who is known there: who cannot be asked is answered like who
//! can, in the same time, and the answer leads nowhere. The site's backend learns why.

use std::{collections::BTreeMap, time::Instant};

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use server::site::SiteSettings;
use testkit::{Answer, App, Backend, Page, Person, on_each_database, photos};
use uuid::Uuid;

use crate::{device_facial::count, device_register::code};

/// Everyone who cannot be asked, and the code by which a backend hears why.
const NOBODY: [(&str, u64); 4] = [
    ("unknown@example.com", 1007),
    ("bare@example.com", 1008),
    ("unpaired@example.com", 1012),
    ("locked@example.com", 1017),
];
const ANN: &str = "ann@example.com";

/// A site that knows Ann, and others who cannot be asked: its backend, its widget, Ann, and who is locked.
async fn site(app: &App) -> (Backend, Backend, Person, Person) {
    let site = app.site("a.example").await;
    let ann = site.enrolled(ANN).await;
    site.paired("bare@example.com").await;
    let unpaired = site.client("unpaired@example.com").await;
    site.upload(&unpaired.to_string(), photos().of(0, 0)).await;
    let locked = site.enrolled("locked@example.com").await;
    let lock =
        "update clients set locked_permanently = true where email_key = 'locked@example.com'";
    app.app.state.db.execute_unprepared(lock).await.unwrap();
    let widget = site.with_token(&site.token_of("widget").await);
    (site, widget, ann, locked)
}

async fn ask(widget: &Backend, email: &str) -> Answer {
    widget
        .post("/client/send_push", &json!({ "email": email }))
        .await
}

async fn open_page(widget: &Backend) -> Page {
    Page::connect(&widget.url, Some(&widget.token)).await
}

/// What of an answer does not depend on chance: each value's kind, and of texts the length.
fn shape(answer: &Answer) -> BTreeMap<String, String> {
    let kind = |value: &Value| match value {
        Value::String(text) => format!("text of {}", text.len()),
        Value::Number(number) if (0..100).contains(&number.as_i64().unwrap()) => "0 to 99".into(),
        other => other.to_string(),
    };
    let data = answer.data().as_object().unwrap();
    data.iter()
        .map(|(name, value)| (name.clone(), kind(value)))
        .collect()
}

on_each_database! {
    async fn a_page_is_answered_the_same_whoever_it_asks_for(
        app: App, |settings| settings.token.widget_lifetime = 3600
    ) {
        let (site, widget, ann, locked) = site(&app).await;
        let real = ask(&widget, ANN).await;
        let mut pages = Vec::new();
        for (email, reason) in NOBODY {
            let given = ask(&widget, email).await;
            assert_eq!(shape(&given), shape(&real), "{email}");
            let token = given.text("verification_token");
            assert_eq!(widget.status(&token).await.body, widget.status(&real.text("verification_token")).await.body);
            let mut page = open_page(&widget).await;
            page.watch(&token).await;
            pages.push((page, token));
            assert_eq!(ask(&site, email).await.code(), reason, "a backend hears why");
        }
        // It rings on no phone, and no phone can answer it.
        assert!(locked.phone.pending(0).await.unwrap().is_empty());
        let decoy = decoy_of(&app, locked.client_id).await;
        assert_eq!(code(locked.phone.scan(decoy, None, &[photos().of(0, 1)]).await), 1032);
        assert_eq!(code(locked.phone.deny(decoy, true).await), 1032);
        // It ends when a sign-on would that nobody answers, and pages hear it the same way.
        app.clock.advance(600);
        app.app.sweep().await.unwrap();
        let expected = real.text("verification_token");
        let expected = widget.status(&expected).await;
        assert_eq!(expected.data()["status"], "expired");
        for (page, token) in &mut pages {
            assert_eq!(page.message().await["status"], "expired");
            assert_eq!(widget.status(token).await.body, expected.body);
            let mut late = open_page(&widget).await;
            late.subscribe("FacialSignOnLoginChannel", json!({ "verification_token": token })).await;
            assert!(late.is_rejected().await);
        }
        assert!(ann.phone.pending(0).await.unwrap().is_empty());
    }

    async fn a_decoy_is_taken_back_like_a_sign_on(app: App) {
        let (_, widget, ..) = site(&app).await;
        for (email, _) in NOBODY {
            let token = ask(&widget, email).await.text("verification_token");
            let body = json!({ "verification_token": token });
            let mut page = open_page(&widget).await;
            page.watch(&token).await;
            assert_eq!(widget.post("/login/cancel", &body).await.data()["status"], "cancelled");
            assert_eq!(page.message().await["status"], "expired");
            assert_eq!(widget.post("/login/cancel", &body).await.code(), 1030);
            assert_eq!(widget.status(&token).await.data()["status"], "expired");
            let mut late = open_page(&widget).await;
            late.watch(&token).await;
            assert_eq!(late.message().await["status"], "expired");
        }
    }

    async fn the_same_browser_that_asks_again_ends_the_older_one(app: App) {
        let (_, widget, ..) = site(&app).await;
        for email in [ANN, "unknown@example.com", "locked@example.com"] {
            let older = ask(&widget, email).await.text("verification_token");
            let newer = ask(&widget, email).await.text("verification_token");
            assert_eq!(widget.status(&older).await.data()["status"], "expired", "{email}");
            assert_eq!(widget.status(&newer).await.data()["status"], "pending", "{email}");
        }
    }

    async fn nobody_may_be_asked_for_as_often_as_somebody(
        app: App, |settings| {
            settings.limits.push_per_ip = 1000;
            settings.sign_on.pushes_before_pause = 3;
            settings.token.widget_lifetime = 3600;
        }
    ) {
        let (site, widget, ..) = site(&app).await;
        let mut heard = Vec::new();
        for spelling in [[ANN, "ANN@example.com"], ["unknown@example.com", "Unknown@EXAMPLE.com"], ["locked@example.com", "LOCKED@example.com"]] {
            let mut answers = Vec::new();
            for step in 0..10 {
                let answer = ask(&widget, spelling[step % 2]).await;
                answers.push((answer.code(), answer.retry_after));
                app.clock.advance(40);
            }
            assert!(answers.iter().any(|(code, _)| *code == 1023) && answers[0].0 == 0, "{answers:?}");
            heard.push(answers);
        }
        assert_eq!(heard[0], heard[1]);
        assert_eq!(heard[0], heard[2]);
        // What nobody was bothered with holds nobody back once they can be asked.
        site.post("/client/unlock", &json!({ "id": id_of(&app, "locked@example.com").await })).await;
        app.clock.advance(300);
        assert_eq!(ask(&widget, "locked@example.com").await.code(), 0);
    }

    async fn two_servers_agree_about_a_decoy(app: App) {
        let (_, widget, ..) = site(&app).await;
        let other = App::start(app.database.clone(), |_| {}).await;
        let there = widget.through(&other.url);
        let token = ask(&widget, "unknown@example.com").await.text("verification_token");
        assert_eq!(there.status(&token).await.data()["status"], "pending");
        let newer = ask(&there, "unknown@example.com").await.text("verification_token");
        assert_eq!(widget.status(&token).await.data()["status"], "expired");
        let body = json!({ "verification_token": newer });
        assert_eq!(widget.post("/login/cancel", &body).await.code(), 0);
        assert_eq!(there.status(&newer).await.data()["status"], "expired");
    }

    async fn a_decoy_proves_nothing_and_is_recorded(app: App) {
        let (site, widget, _, locked) = site(&app).await;
        for (email, _) in NOBODY {
            ask(&widget, email).await;
        }
        let db = &app.app.state.db;
        for change in ["state = 'verified'", "session_hash = token_hash"] {
            let forged = format!("update sign_ons set {change} where decoy");
            assert!(db.execute_unprepared(&forged).await.is_err(), "{change}");
        }
        assert_eq!(count(&app, "select count(*) as n from pushes").await, 0);
        let lines = "select count(*) as n from audit_events where action = 'sign_on_refused' \
            and sign_on_id in (select id from sign_ons where decoy) and detail like '%; the page was given a decoy'";
        assert_eq!(count(&app, lines).await, 4);
        let unknown = format!("{lines} and client_id is null and detail like 'no such client%'");
        assert_eq!(count(&app, &unknown).await, 1);
        // What is kept of them goes with the client, and else with time.
        site.post("/client/delete", &json!({ "id": locked.client_id })).await;
        assert_eq!(count(&app, "select count(*) as n from sign_ons where decoy").await, 3);
        for seconds in [600, 91 * 24 * 3600, 601, 601] {
            app.clock.advance(seconds);
            app.app.sweep().await.unwrap();
        }
        assert_eq!(count(&app, "select count(*) as n from sign_ons").await, 0);
    }

    async fn on_a_site_in_test_mode_the_page_is_told_that_a_test_identity_has_no_phone(app: App) {
        let test_mode = |settings: &mut SiteSettings| settings.test_mode = true;
        let site = app.site_with("a.example", test_mode).await;
        let widget = site.with_token(&site.token_of("widget").await);
        assert_eq!(ask(&widget, "no-device@example.test").await.code(), 1012);
        assert_eq!(ask(&widget, "unknown@example.test").await.code(), 0);
    }

    async fn the_answers_take_the_same_steps_and_the_same_time(
        app: App, |settings| {
            let limits = &mut settings.limits;
            (limits.push_per_ip, limits.push_per_client) = (1_000_000, 1_000_000);
            (limits.auth_per_ip, limits.other_per_ip) = (1_000_000, 1_000_000);
        }
    ) {
        let (site, widget, ..) = site(&app).await;
        let other = app.site("b.example").await;
        other.client("theirs@example.com").await;
        let off = app.site("off.example").await;
        let switch = format!("update sites set disabled_at = created_at where api_key = '{}'", off.api_key);
        app.app.state.db.execute_unprepared(&switch).await.unwrap();

        let push = async |email: &str| assert_eq!(ask(&widget, email).await.code(), 0);
        let everyone = [ANN].into_iter().chain(NOBODY.map(|(email, _)| email)).collect::<Vec<_>>();
        indistinguishable(&app, &everyone, push).await;

        let auth = async |api_key: &str| {
            let keys = json!({ "api_key": api_key, "secret_key": "sk_wrong" });
            assert_eq!(site.post("/application_auth", &keys).await.code(), 1001);
        };
        let unknown = format!("ak_{}", "0".repeat(site.api_key.len() - 3));
        indistinguishable(&app, &[&site.api_key, &unknown, &off.api_key], auth).await;

        let lookup = async |email: &str| {
            let answer = site.post("/login/lookup_client", &json!({ "email": email })).await;
            assert_eq!(answer.code(), 1007);
        };
        indistinguishable(&app, &["theirs@example.com", "nobody@example.com"], lookup).await;
    }
}

async fn decoy_of(app: &App, client_id: Uuid) -> Uuid {
    let decoys = "select id from sign_ons where decoy and client_id = $1";
    let db = &app.app.state.db;
    let statement = sea_orm::Statement::from_sql_and_values(
        db.get_database_backend(),
        decoys,
        [client_id.into()],
    );
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "id").unwrap()
}

async fn id_of(app: &App, email: &str) -> Uuid {
    let clients = "select id from clients where email_key = $1";
    let db = &app.app.state.db;
    let statement =
        sea_orm::Statement::from_sql_and_values(db.get_database_backend(), clients, [email.into()]);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "id").unwrap()
}

/// Rounds of the measurement. By chance alone a share of ranks strays from a half by one deviation of 0.047.
const ROUNDS: usize = 75;
/// How far it may stray: five deviations.
const STRAY: f64 = 0.235;

/// Fails where the calls with these arguments take other statements, or times of which one could be told from
/// another. In each round everyone has a turn, in an order that moves on, so that whatever else the machine does
/// disturbs all of them alike, and only ranks are compared.
async fn indistinguishable(app: &App, arguments: &[&str], call: impl AsyncFn(&str)) {
    let mut steps: Vec<Vec<String>> = Vec::new();
    for argument in arguments {
        // The first call may make what the others find.
        call(argument).await;
        drop(app.statements.take());
        call(argument).await;
        let taken = app.statements.take();
        steps.push(taken.into_iter().map(|sql| step(&sql)).collect());
    }
    for (argument, taken) in arguments.iter().zip(&steps) {
        assert!(!taken.is_empty());
        assert_eq!(taken, &steps[0], "{argument}");
    }
    // The machine may disturb one measurement; what can be told apart can be in each.
    for left in (0..3).rev() {
        let stray = strayed(arguments, &call).await;
        assert!(stray.is_empty() || left > 0, "{stray:?}");
        if stray.is_empty() {
            return;
        }
    }
}

/// Which of the calls could be told from the first one's by their times, and their shares.
async fn strayed(arguments: &[&str], call: &impl AsyncFn(&str)) -> Vec<(String, f64)> {
    let mut times = vec![Vec::with_capacity(ROUNDS); arguments.len()];
    for round in 0..ROUNDS {
        for turn in 0..arguments.len() {
            let who = (round + turn) % arguments.len();
            let who = if round % 2 == 0 {
                who
            } else {
                arguments.len() - 1 - who
            };
            let begun = Instant::now();
            call(arguments[who]).await;
            times[who].push(begun.elapsed());
        }
    }
    let mut strayed = Vec::new();
    for (argument, others) in arguments.iter().zip(&times).skip(1) {
        let share = share_below(&times[0], others);
        println!("{argument}: {share:.3} of the first one's times are shorter");
        if (share - 0.5).abs() >= STRAY {
            strayed.push(((*argument).to_owned(), share));
        }
    }
    strayed
}

/// A statement, but for whether it announces something to phones or to nobody.
fn step(sql: &str) -> String {
    if sql.contains("pushes") {
        "a push".to_owned()
    } else {
        sql.to_owned()
    }
}

/// The share of pairs in which the first's is the smaller; equals count half. (The statistic of Mann and Whitney
/// over the number of pairs.)
fn share_below<T: PartialOrd>(ones: &[T], others: &[T]) -> f64 {
    let wins: f64 = ones
        .iter()
        .flat_map(|one| others.iter().map(move |other| (one, other)))
        .map(|(one, other)| match one.partial_cmp(other) {
            Some(std::cmp::Ordering::Less) => 1.0,
            Some(std::cmp::Ordering::Equal) => 0.5,
            _ => 0.0,
        })
        .sum();
    let pairs = u32::try_from(ones.len() * others.len()).unwrap();
    wins / f64::from(pairs)
}
