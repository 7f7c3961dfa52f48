//! A client is erased: nothing that names them is left, and no copy of their face opens again.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use server::site::Liveness;
use testkit::{App, Backend, Person, on_each_database, photos};
use uuid::Uuid;

use crate::{dashboard::make_account, device_facial::count, device_register::code};

/// Tables whose rows may name a client who was erased, and why.
const RECORDS: [&str; 2] = [
    // That there was a consent, and that it is withdrawn.
    "consents",
    // What was done, by ids alone.
    "audit_events",
];

/// Every table that names clients.
async fn tables(app: &App) -> Vec<String> {
    let db = &app.app.state.db;
    let query = match db.get_database_backend() {
        DbBackend::Postgres => {
            "select table_name as name from information_schema.columns \
             where column_name = 'client_id' and table_schema = current_schema()"
        }
        _ => {
            "select m.name as name from sqlite_master m, pragma_table_info(m.name) c \
             where m.type = 'table' and c.name = 'client_id'"
        }
    };
    let statement = Statement::from_string(db.get_database_backend(), query);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get("", "name").unwrap())
        .collect()
}

async fn rows_of_anyone(app: &App, table: &str) -> i64 {
    count(
        app,
        &format!("select count(*) as n from {table} where client_id is not null"),
    )
    .await
}

/// Someone with a face, a code, an attempt that waits, and one that they reported.
async fn well_known(site: &Backend) -> Person {
    let ann = site.enrolled("ann@example.com").await;
    site.enrolment_link(ann.client_id, "login").await;
    site.push(ann.client_id).await;
    let id = ann.waiting().await;
    ann.phone.deny(id, true).await.unwrap();
    ann
}

/// As if an account of the dashboard were linked to this client.
async fn signs_in_by_face(app: &App, client_id: Uuid) {
    let account = make_account(app, "owner@example.com", false).await;
    let db = &app.app.state.db;
    let now = server::platform::clock::Clock::now(app.clock.as_ref());
    let link = Statement::from_sql_and_values(
        db.get_database_backend(),
        "insert into account_faces (account_id, client_id, created_at) values ($1, $2, $3)",
        [account.id.into(), client_id.into(), now.into()],
    );
    db.execute_raw(link).await.unwrap();
}

async fn receipt(app: &App, signed: &str) -> Value {
    let keys: JwkSet = reqwest::get(format!("{}/.well-known/jwks.json", app.url))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let header = decode_header(signed).unwrap();
    assert_eq!(header.typ.as_deref(), Some("erasure-receipt+jwt"));
    let key = keys.find(header.kid.as_deref().unwrap()).unwrap();
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_audience(&["axiam:erasure"]);
    rules.set_issuer(&[&app.url]);
    rules.set_required_spec_claims(&["iss", "aud", "sub"]);
    rules.validate_exp = false;
    let key = DecodingKey::from_jwk(key).unwrap();
    decode::<Value>(signed, &key, &rules).unwrap().claims
}

on_each_database! {
    async fn nothing_that_names_an_erased_client_is_left(app: App) {
        // Frames are remembered where somebody asks whether they show a living person.
        let site = app.site_with("a.example", |settings| settings.liveness = Liveness::Passive).await;
        let ann = well_known(&site).await;
        signs_in_by_face(&app, ann.client_id).await;
        let named = tables(&app).await;
        assert!(named.len() >= 8, "{named:?}");
        for table in &named {
            assert!(rows_of_anyone(&app, table).await > 0, "{table} is not tried: extend well_known()");
        }
        let answer = site.post("/client/delete", &json!({ "id": ann.client_id })).await;
        assert_eq!(answer.data()["client_id"], json!(ann.client_id));
        assert_eq!(answer.data()["erased"], json!({ "face_references": 1, "devices": 1, "sign_ons": 1 }));
        for table in named {
            let left = rows_of_anyone(&app, &table).await;
            assert_eq!(left > 0, RECORDS.contains(&table.as_str()), "{table}");
        }
        assert_eq!(count(&app, "select count(*) as n from clients").await, 0);
        assert_eq!(count(&app, "select count(*) as n from consents where withdrawn_at is null").await, 0);
        assert_eq!(count(&app, "select count(*) as n from audit_events where action = 'client_erased'").await, 1);
    }

    async fn the_receipt_is_signed_with_a_published_key_and_is_no_token(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let signed = site.post("/client/delete", &json!({ "id": ann.client_id })).await.text("receipt");
        let receipt = receipt(&app, &signed).await;
        assert_eq!(receipt["sub"], json!(ann.client_id));
        assert_eq!(receipt["site_id"], json!(site.site_id));
        assert_eq!((&receipt["by"], &receipt["erased"]["face_references"]), (&json!("site"), &json!(1)));
        assert_eq!(receipt["iat"], json!(server::platform::clock::Clock::now(app.clock.as_ref()).timestamp()));
        let bearer = site.with_token(&signed);
        assert_eq!(bearer.get(&format!("/client/{}", ann.client_id)).await.code(), 1003);
    }

    async fn an_erased_client_is_unknown_and_may_come_again(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        assert_eq!(site.post("/client/delete", &json!({ "id": ann.client_id })).await.code(), 0);
        assert_eq!(code(ann.phone.pending(0).await), 1050);
        assert_eq!(site.try_push(ann.client_id).await.code(), 1007);
        assert_eq!(site.get(&format!("/client/{}", ann.client_id)).await.code(), 1007);
        assert_eq!(site.post("/client/delete", &json!({ "id": ann.client_id })).await.code(), 1007);
        let again = site.enrolled("ann@example.com").await;
        assert_ne!(again.client_id, ann.client_id);
    }

    async fn a_backup_of_the_face_opens_no_more(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let db = &app.app.state.db;
        let kept = ["clients", "devices", "face_references"];
        for table in kept {
            db.execute_unprepared(&format!("create table kept_{table} as select * from {table}")).await.unwrap();
        }
        assert_eq!(site.post("/client/delete", &json!({ "id": ann.client_id })).await.code(), 0);
        // The operator, or a thief, puts the templates back from a backup: with the same data key and the
        // same transform, but without the client's key.
        for table in kept {
            db.execute_unprepared(&format!("insert into {table} select * from kept_{table}")).await.unwrap();
        }
        assert_eq!(count(&app, "select count(*) as n from face_references").await, 1);
        site.push(ann.client_id).await;
        let id = ann.waiting().await;
        assert_eq!(code(ann.phone.scan(id, None, &[photos().of(0, 1)]).await), 5000);
    }

    async fn a_person_erases_themselves_with_their_phone(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let (ann, there) = (site.enrolled("ann@example.com").await, other.enrolled("ann@example.com").await);
        let bob = site.paired("bob@example.com").await;
        let verification = site.push(ann.client_id).await;
        let mut page = site.page().await;
        page.watch(&verification).await;
        let done = ann.phone.erase().await.unwrap();
        assert_eq!(done["erased"]["sign_ons"], 1);
        let receipt = receipt(&app, done["receipt"].as_str().unwrap()).await;
        assert_eq!((&receipt["by"], &receipt["sub"]), (&json!("client"), &json!(ann.client_id)));
        // The page that waits is told at once.
        assert_eq!(page.message().await["status"], "expired");
        assert_eq!(site.status(&verification).await.code(), 1032);
        assert_eq!(code(ann.phone.erase().await), 1050);
        // Nobody else is.
        bob.phone.pending(0).await.unwrap();
        other.push(there.client_id).await;
        there.waiting().await;
    }

    async fn another_sites_client_is_1007(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let ann = site.paired("ann@example.com").await;
        for id in [ann.client_id, Uuid::new_v4()] {
            assert_eq!(other.post("/client/delete", &json!({ "id": id })).await.code(), 1007);
        }
        ann.phone.pending(0).await.unwrap();
        for (body, field) in [(json!({}), "id"), (json!({ "id": "ann" }), "id")] {
            let answer = site.post("/client/delete", &body).await;
            assert_eq!((answer.code(), answer.field()), (1006, field));
        }
        let widget = site.with_token(&site.token_of("widget").await);
        assert_eq!(widget.post("/client/delete", &json!({ "id": ann.client_id })).await.code(), 1010);
    }
}
