//! Of every secret that the database keeps it is stated what it is.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use server::credentials::Credential;
use testkit::{App, on_each_database};

/// What a secret in the database is.
enum Held {
    /// A credential of this kind.
    Of(Credential),
    /// Good once, and for minutes.
    Once(&'static str),
    /// Nothing that proves anything to anyone.
    Nothing(&'static str),
}

use Held::{Nothing, Of, Once};

/// Every column that keeps a secret, or what is left of one.
const COLUMNS: [(&str, Held); 27] = [
    ("site_secrets.hash", Of(Credential::SecretKey)),
    ("redis_users.password_hash", Of(Credential::RedisUser)),
    ("webhooks.secret", Of(Credential::WebhookSecret)),
    ("webhooks.previous_secret", Of(Credential::WebhookSecret)),
    ("enrolments.token_hash", Of(Credential::EnrolmentCode)),
    ("devices.token_hash", Of(Credential::Device)),
    ("devices.challenge_hash", Once("a challenge")),
    ("devices.challenge_sealed", Once("a challenge")),
    ("sign_ons.token_hash", Once("a verification token")),
    ("sign_ons.challenge_hash", Once("a challenge")),
    ("sign_ons.challenge_sealed", Once("a challenge")),
    ("sign_ons.session_hash", Once("a proof for a backend")),
    ("keys.sealed", Of(Credential::SigningKey)),
    ("devices.push", Of(Credential::PushKey)),
    ("fcm_accounts.sealed", Of(Credential::ServiceAccount)),
    ("client_keys.sealed", Nothing("a client's key")),
    ("face_references.sealed", Nothing("a template")),
    ("seen_frames.sealed", Nothing("what a frame looked like")),
    ("site_tokens.id", Of(Credential::SiteToken)),
    (
        "sessions.id",
        Nothing("a browser's: an account lists and ends its own at the dashboard"),
    ),
    (
        "accounts.password",
        Nothing("what the account's owner alone knows, as Argon2id keeps it"),
    ),
    (
        "account_links.token_hash",
        Once("a link that sets an account's password"),
    ),
    ("account_faces.client_id", Of(Credential::AccountFace)),
    ("passkeys.public_key", Of(Credential::Passkey)),
    ("recovery_codes.code_hash", Of(Credential::RecoveryCode)),
    ("device_proofs.id", Once("a phone's proof")),
    (
        "seen_frames.challenge_hash",
        Nothing("which challenge a frame answered"),
    ),
];

async fn columns(app: &App) -> Vec<String> {
    let db = &app.app.state.db;
    let query = match db.get_database_backend() {
        DbBackend::Postgres => {
            "select table_name || '.' || column_name as name from information_schema.columns \
             where table_schema = current_schema() and table_name not like '\\_%'"
        }
        _ => {
            "select m.name || '.' || c.name as name from sqlite_master m, pragma_table_info(m.name) c \
             where m.type = 'table' and m.name not like 'sqlite_%' and m.name not like '\\_%' escape '\\'"
        }
    };
    let statement = Statement::from_string(db.get_database_backend(), query);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get("", "name").unwrap())
        .collect()
}

on_each_database! {
    async fn of_every_secret_that_is_kept_it_is_stated_what_it_is(app: App) {
        let stated: BTreeMap<&str, &Held> = COLUMNS.iter().map(|(name, held)| (*name, held)).collect();
        let there = columns(&app).await;
        for name in stated.keys() {
            assert!(there.iter().any(|column| column == name), "{name} is stated and is not there");
        }
        for name in &there {
            let column = name.rsplit('.').next().unwrap();
            let is_secret = ["hash", "sealed", "secret", "token", "password", "code"].iter().any(|word| column.ends_with(word));
            assert!(!is_secret || stated.contains_key(name.as_str()), "{name} is not stated");
        }
        for kind in Credential::ALL {
            let is_kept = stated.values().any(|held| matches!(held, Of(of) if of == kind));
            assert!(is_kept, "{kind:?} is nowhere");
        }
        for held in stated.values() {
            assert!(!matches!(held, Once("") | Nothing("")));
        }
    }
}
