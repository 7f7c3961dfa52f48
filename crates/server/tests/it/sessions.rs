use axum::{Router, routing::post};
use reqwest::{RequestBuilder, Response, StatusCode};
use server::{
    pages::visit,
    platform::{db, state::Shared},
};
use testkit::{App, Database, Engine, on_each_database};
use tower_sessions::Session;

use crate::device_facial::count;

/// A server with pages that count a visitor's calls, and forget them.
async fn visited(app: &App) -> String {
    async fn more(session: Session) -> String {
        let calls = session.get::<u32>("calls").await.unwrap().unwrap_or(0) + 1;
        session.insert("calls", calls).await.unwrap();
        calls.to_string()
    }
    async fn leave(session: Session) {
        session.flush().await.unwrap();
    }
    let state: Shared = app.app.state.clone();
    let routes = Router::new()
        .route("/more", post(more))
        .route("/leave", post(leave));
    let routes = visit::guarded(&state, routes).with_state(state);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

fn call(url: &str, path: &str, cookie: Option<&str>) -> RequestBuilder {
    let request = reqwest::Client::new().post(format!("{url}{path}"));
    match cookie {
        Some(cookie) => request.header("cookie", cookie),
        None => request,
    }
}

/// The cookie of an answer, and what is said about it.
fn cookie(response: &Response) -> (String, String) {
    let all = response.headers()["set-cookie"].to_str().unwrap();
    let (cookie, rest) = all.split_once("; ").unwrap();
    (cookie.to_owned(), rest.to_owned())
}

async fn calls(url: &str, cookie: &str) -> String {
    call(url, "/more", Some(cookie))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}

on_each_database! {
    async fn every_server_knows_a_session(app: App) {
        let first = visited(&app).await;
        let begun = call(&first, "/more", None).send().await.unwrap();
        let (cookie, rest) = cookie(&begun);
        assert!(cookie.starts_with("axiam_session="));
        assert!(rest.contains("HttpOnly") && rest.contains("SameSite=Lax") && rest.contains("Path=/"));
        assert!(!rest.contains("Secure") && !rest.contains("Max-Age"));
        assert_eq!(calls(&first, &cookie).await, "2");
        let other = App::start(app.database.clone(), |_| {}).await;
        assert_eq!(calls(&visited(&other).await, &cookie).await, "3");
        assert_eq!(calls(&first, "axiam_session=AAAAAAAAAAAAAAAAAAAAAA").await, "1");
    }

    async fn over_tls_the_cookie_belongs_to_this_host_alone(app: App, |settings| settings.server.public_url = "https://signin.example".into()) {
        let begun = call(&visited(&app).await, "/more", None).send().await.unwrap();
        let (cookie, rest) = cookie(&begun);
        assert!(cookie.starts_with("__Host-axiam_session="));
        assert!(rest.contains("Secure") && rest.contains("Path=/") && !rest.contains("Domain"));
    }

    async fn the_database_cannot_sign_anyone_in(app: App) {
        let url = visited(&app).await;
        let (cookie, _) = cookie(&call(&url, "/more", None).send().await.unwrap());
        let name = cookie.split('=').nth(1).unwrap();
        assert_eq!(count(&app, "select count(*) as n from sessions").await, 1);
        let seen = format!("select count(*) as n from sessions where cast(id as text) like '%{name}%' or data like '%{name}%'");
        assert_eq!(count(&app, &seen).await, 0);
    }

    async fn a_session_ends_unused_and_at_last_also_in_use(app: App, |settings| (settings.session.idle, settings.session.longest) = (1000, 2500)) {
        let url = visited(&app).await;
        let (used, _) = cookie(&call(&url, "/more", None).send().await.unwrap());
        let (unused, _) = cookie(&call(&url, "/more", None).send().await.unwrap());
        for (time, answer) in [(900, "2"), (900, "3"), (600, "4")] {
            app.clock.advance(time);
            assert_eq!(calls(&url, &used).await, answer);
        }
        assert_eq!(calls(&url, &unused).await, "1");
        app.clock.advance(100);
        assert_eq!(calls(&url, &used).await, "1");
    }

    async fn what_is_over_is_swept(app: App) {
        let url = visited(&app).await;
        call(&url, "/more", None).send().await.unwrap();
        app.app.sweep().await.unwrap();
        assert_eq!(count(&app, "select count(*) as n from sessions").await, 1);
        app.clock.advance(app.app.state.settings.session.idle.into());
        app.app.sweep().await.unwrap();
        assert_eq!(count(&app, "select count(*) as n from sessions").await, 0);
    }

    async fn who_leaves_is_gone_everywhere(app: App) {
        let url = visited(&app).await;
        let (cookie, _) = cookie(&call(&url, "/more", None).send().await.unwrap());
        let left = call(&url, "/leave", Some(&cookie)).send().await.unwrap();
        assert!(left.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
        assert_eq!(count(&app, "select count(*) as n from sessions").await, 0);
        assert_eq!(calls(&url, &cookie).await, "1");
    }

    async fn what_another_site_sends_is_refused(app: App) {
        let url = visited(&app).await;
        let (cookie, _) = cookie(&call(&url, "/more", None).send().await.unwrap());
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            let sent = call(&url, "/more", Some(&cookie)).header(name, value).send().await.unwrap();
            assert_eq!(sent.status(), StatusCode::FORBIDDEN, "{name}: {value}");
        }
        let own = call(&url, "/more", Some(&cookie)).header("sec-fetch-site", "same-origin").header("origin", &url);
        assert_eq!(own.send().await.unwrap().text().await.unwrap(), "2");
    }
}

/// Number 3 came after number 4: databases that have 4 take 3 too.
async fn a_database_without_sessions_gets_them(engine: Engine) {
    use sea_orm::ConnectionTrait;

    let Some(database) = Database::create(engine).await else {
        return;
    };
    let db = database.open().await;
    for statement in [
        "drop table sessions",
        "delete from _sqlx_migrations where version = 3",
    ] {
        db.execute_unprepared(statement).await.unwrap();
    }
    assert!(
        db.execute_unprepared("select id from sessions")
            .await
            .is_err()
    );
    db::migrate(&db).await.unwrap();
    db.execute_unprepared("select id from sessions")
        .await
        .unwrap();
    db::migrate(&db).await.unwrap();
}

#[tokio::test]
async fn an_older_sqlite_gets_sessions() {
    a_database_without_sessions_gets_them(Engine::Sqlite).await;
}

#[tokio::test]
async fn an_older_postgres_gets_sessions() {
    a_database_without_sessions_gets_them(Engine::Postgres).await;
}
