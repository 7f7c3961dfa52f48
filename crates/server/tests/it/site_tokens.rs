//! A site's tokens can be listed, and taken back one by one, on every server and while a cable is open.

use jsonwebtoken::{Algorithm, Header, encode};
use phone::{Key, Request};
use serde_json::{Value, json};
use server::{
    platform::{
        clock::Clock as _,
        keys::{Keyring, Purpose},
    },
    site::{self, Site, SiteToken},
};
use testkit::{App, Backend, Page, Person, on_each_database};
use uuid::Uuid;

use crate::device_facial::count;

/// The command line's keyring: another program on the same database.
pub(crate) async fn operator(app: &App) -> Keyring {
    let (state, now) = (&app.app.state, app.clock.now());
    let file = state.settings.master_key_file();
    Keyring::open(&state.db, &file, now).await.unwrap()
}

pub(crate) async fn row(app: &App, site: &Backend) -> Site {
    let found = site::find(&app.app.state.db, site.site_id).await;
    found.unwrap().unwrap()
}

pub(crate) async fn listed(app: &App, site: &Backend) -> Vec<SiteToken> {
    let site = row(app, site).await;
    let tokens = site::live_tokens(&app.app.state.db, &site, app.clock.now()).await;
    tokens.unwrap()
}

pub(crate) async fn revoke(app: &App, site: &Backend, jti: Uuid) -> bool {
    let (keys, site) = (operator(app).await, row(app, site).await);
    let db = &app.app.state.db;
    site::revoke_token(db, &keys, &site, jti, app.clock.now())
        .await
        .unwrap()
}

/// What a token says, unchecked.
pub(crate) fn claims(token: &str) -> Value {
    let read = jsonwebtoken::dangerous::insecure_decode::<Value>(token);
    read.unwrap().claims
}

pub(crate) fn jti(token: &str) -> Uuid {
    claims(token)["jti"].as_str().unwrap().parse().unwrap()
}

/// What a route answers to a token.
async fn code(site: &Backend, token: &str) -> u64 {
    let site = site.with_token(token);
    site.get("/login/status?verification_token=vt_none")
        .await
        .code()
}

async fn connected(app: &App, token: &str) -> Page {
    let protocols = format!("actioncable-v1-json, anycable-token.{token}");
    let headers = [("sec-websocket-protocol", protocols.as_str())];
    greeted(Page::connect_with(&app.url, None, &headers).await.unwrap()).await
}

async fn phone_connected(app: &App, person: &Person) -> Page {
    let memory = person.phone.pairing();
    let proof = Key::from_pem(&memory.key).unwrap().prove(&Request {
        method: "GET",
        url: &format!("{}/cable", app.url),
        token: Some(&memory.device_token),
        body: b"",
        at: app.clock.now(),
    });
    let (proof, token) = (proof.unwrap(), format!("DPoP {}", memory.device_token));
    let headers = [("dpop", proof.as_str()), ("authorization", token.as_str())];
    greeted(Page::connect_with(&app.url, None, &headers).await.unwrap()).await
}

async fn greeted(mut page: Page) -> Page {
    assert_eq!(page.next().await.unwrap()["type"], "welcome");
    page
}

async fn is_sent_away(mut page: Page) {
    let farewell = json!({ "type": "disconnect", "reason": "unauthorized", "reconnect": false });
    assert_eq!(page.next().await.unwrap(), farewell);
    assert_eq!(page.next().await, None);
}

on_each_database! {
    async fn one_token_is_revoked_on_every_server_and_no_other(app: App) {
        let other = App::start(app.database.clone(), |_| {}).await;
        let (site, stranger) = (app.site("a.example").await, app.site("b.example").await);
        let (first, second) = (site.token_of("widget").await, site.token_of("widget").await);
        let there = site.through(&other.url);
        assert_eq!([code(&site, &first).await, code(&there, &first).await], [1032, 1032]);
        // Another site's token is not this one's to take back.
        assert!(!revoke(&app, &site, jti(&stranger.token)).await);
        assert!(revoke(&other, &site, jti(&first)).await);
        assert!(!revoke(&app, &site, jti(&first)).await);
        assert_eq!([code(&site, &first).await, code(&there, &first).await], [1005, 1005]);
        for token in [&second, &site.token] {
            assert_eq!([code(&site, token).await, code(&there, token).await], [1032, 1032]);
        }
        assert_eq!(code(&stranger, &stranger.token).await, 1032);
        let told = format!("select count(*) as n from audit_events where action = 'tokens_revoked' and detail = 'jti {}'", jti(&first));
        assert_eq!(count(&app, &told).await, 1);
    }

    async fn tokens_are_listed_with_what_is_known_of_them_until_they_end(app: App) {
        let site = app.site("a.example").await;
        let widget = site.token_of("widget").await;
        let of = |tokens: &[SiteToken], token: &str| tokens.iter().find(|one| one.id == jti(token)).cloned();
        let tokens = listed(&app, &site).await;
        assert_eq!(tokens.len(), 2);
        let unused = of(&tokens, &widget).unwrap();
        assert_eq!((unused.scope.as_str(), unused.seen_at), ("widget", None));
        assert_eq!((unused.expires_at - unused.issued_at).num_seconds(), 600);
        assert_eq!(code(&site, &widget).await, 1032);
        let used = of(&listed(&app, &site).await, &widget).unwrap();
        let noted = used.seen_at.unwrap();
        assert_eq!(used.seen_from, "127.0.0.1");
        // The same minute is not noted again, the next one is.
        app.clock.advance(30);
        assert_eq!(code(&site, &widget).await, 1032);
        assert_eq!(of(&listed(&app, &site).await, &widget).unwrap().seen_at, Some(noted));
        app.clock.advance(60);
        assert_eq!(code(&site, &widget).await, 1032);
        assert!(of(&listed(&app, &site).await, &widget).unwrap().seen_at > Some(noted));
        app.clock.advance(600);
        assert!(of(&listed(&app, &site).await, &widget).is_none());
        assert_eq!(code(&site, &widget).await, 1004);
        // What has ended is forgotten, and still says why it is worth nothing.
        app.app.sweep().await.unwrap();
        assert_eq!(count(&app, "select count(*) as n from site_tokens where scope = 'widget'").await, 0);
        assert_eq!(code(&site, &widget).await, 1004);
        let row = row(&app, &site).await;
        site::revoke_tokens(&app.app.state.db, &app.app.state.keys, &row, app.clock.now()).await.unwrap();
        assert!(listed(&app, &site).await.is_empty());
    }

    async fn open_cables_end_with_what_was_revoked(app: App) {
        let other = App::start(app.database.clone(), |_| {}).await;
        let (site, off) = (app.site("a.example").await, app.site("b.example").await);
        let ann = site.enrolled("ann@example.com").await;
        let bob = off.enrolled("bob@example.com").await;
        let (first, second) = (site.token_of("widget").await, site.token_of("widget").await);
        let (mut pages, mut kept) = (Vec::new(), Vec::new());
        for server in [&app, &other] {
            pages.push(connected(server, &first).await);
            kept.push(connected(server, &second).await);
        }
        for server in [&app, &other] {
            server.app.sweep().await.unwrap();
        }
        // Revoked by another program: only the database knows.
        assert!(revoke(&app, &site, jti(&first)).await);
        pages.push(phone_connected(&app, &ann).await);
        pages.push(phone_connected(&app, &bob).await);
        pages.push(connected(&app, &off.token).await);
        let which = json!({ "id": ann.client_id, "device_id": ann.phone.pairing().device_id });
        assert_eq!(site.post("/client/revoke_device", &which).await.code(), 0);
        let row = row(&app, &off).await;
        site::switch(&app.app.state.db, &app.app.state.keys, &row, false, app.clock.now()).await.unwrap();
        for server in [&app, &other] {
            server.app.sweep().await.unwrap();
        }
        for page in pages {
            is_sent_away(page).await;
        }
        for mut page in kept {
            page.subscribe("FacialSignOnLoginChannel", json!({ "verification_token": "vt_none" })).await;
            assert!(page.is_rejected().await);
        }
    }

    async fn not_even_the_key_that_signs_makes_a_token(app: App) {
        let site = app.site("a.example").await;
        let widget = site.token_of("widget").await;
        let (state, now) = (&app.app.state, app.clock.now());
        let pair = state.keys.signing(&state.db, Purpose::SiteTokens, now).await.unwrap();
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(pair.kid.clone());
        let forged = |change: &dyn Fn(&mut Value)| {
            let mut claims = claims(&widget);
            change(&mut claims);
            encode(&header, &claims, &pair.signing).unwrap()
        };
        let other = app.site("b.example").await;
        assert_eq!(code(&site, &forged(&|_| {})).await, 1032);
        for change in [
            &|claims: &mut Value| claims["jti"] = json!(Uuid::new_v4()),
            &|claims: &mut Value| claims["aud"] = json!("axiam:site"),
            &|claims: &mut Value| claims["sub"] = json!(other.site_id),
            &|claims: &mut Value| claims["exp"] = json!(claims["exp"].as_i64().unwrap() + 1),
        ] as [&dyn Fn(&mut Value); 4] {
            assert_eq!(code(&site, &forged(change)).await, 1005);
        }
        // A kid that names no key, or one of another purpose, is none of ours.
        let data = state.keys.current(&state.db, Purpose::Data, now).await.unwrap().id.simple().to_string();
        for kid in [Uuid::new_v4().simple().to_string(), data, "x".into()] {
            let mut header = Header::new(Algorithm::ES256);
            header.kid = Some(kid);
            let token = encode(&header, &claims(&widget), &pair.signing).unwrap();
            assert_eq!(code(&site, &token).await, 1003);
        }
    }

    async fn the_signing_key_is_replaced_while_two_servers_run(app: App) {
        let other = App::start(app.database.clone(), |_| {}).await;
        let site = app.site("a.example").await;
        let there = site.through(&other.url);
        let old = site.token_of("widget").await;
        let keys = operator(&app).await;
        let db = &app.app.state.db;
        site::rotate_signing(db, &keys, Purpose::SiteTokens, false, app.clock.now()).await.unwrap();
        let (here, new) = (site.token_of("widget").await, there.token_of("widget").await);
        let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        assert_eq!(kid(&here), kid(&new));
        assert_ne!(kid(&old), kid(&new));
        for token in [&old, &new, &site.token] {
            assert_eq!([code(&site, token).await, code(&there, token).await], [1032, 1032]);
        }
        let published = async |app: &App| -> Vec<String> {
            let answer = reqwest::get(format!("{}/.well-known/jwks.json", app.url)).await.unwrap();
            let set: Value = answer.json().await.unwrap();
            set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
        };
        for server in [&app, &other] {
            let kids = published(server).await;
            assert!(kids.contains(&kid(&old)) && kids.contains(&kid(&new)), "{kids:?}");
        }
        // It stays until the last token that it signed has ended: the backend's, after thirty days.
        app.clock.advance(30 * 86_400 - 60);
        other.clock.advance(30 * 86_400 - 60);
        app.app.sweep().await.unwrap();
        assert_eq!(code(&there, &site.token).await, 1032);
        assert!(published(&other).await.contains(&kid(&old)));
        app.clock.advance(601);
        app.app.sweep().await.unwrap();
        app.clock.advance(601);
        app.app.sweep().await.unwrap();
        let kids = published(&other).await;
        assert!(!kids.contains(&kid(&old)) && kids.contains(&kid(&new)), "{kids:?}");
        // A server that starts now does not even know who signed it.
        let fresh = App::start(app.database.clone(), |_| {}).await;
        assert_eq!(code(&site.through(&fresh.url), &old).await, 1003);
    }

    async fn a_stolen_signing_key_takes_all_that_it_signed_with_it(app: App) {
        let other = App::start(app.database.clone(), |_| {}).await;
        let site = app.site("a.example").await;
        let there = site.through(&other.url);
        assert_eq!(code(&there, &site.token).await, 1032);
        let keys = operator(&app).await;
        let db = &app.app.state.db;
        let revoked = site::rotate_signing(db, &keys, Purpose::SiteTokens, true, app.clock.now()).await.unwrap();
        assert_eq!(revoked, 1);
        for server in [&site, &there] {
            assert_eq!(code(server, &site.token).await, 1005);
            let new = server.token_of("site").await;
            assert_eq!(code(&there, &new).await, 1032);
        }
    }
}
