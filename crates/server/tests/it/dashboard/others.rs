//! What is another tenant's stays theirs, also for whoever knows its id; and what other pages send counts for nothing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, StatusCode};
use server::{
    account::{self, Role},
    app, client, device,
    platform::clock::Clock,
    site, webhook,
};
use testkit::{App, Backend, on_each_database};
use uuid::Uuid;

use super::{
    Visitor, make_account,
    passkeys::{Authenticator, add},
    signed_in,
    visitor::PASSWORD,
};
use crate::device_facial::count;

/// The browser of somebody who owns this site alone.
async fn owner_of(app: &App, site: &Backend, email: &str) -> Visitor {
    let account = make_account(app, email, false).await;
    let state = &app.app.state;
    let given = (Role::Owner, account::By::Administrator);
    let at = (account.id, site.site_id);
    account::give_role(&state.db, &state.keys, at, given, app.clock.now())
        .await
        .unwrap();
    signed_in(app, email).await
}

on_each_database! {
    async fn ids_of_another_tenant_open_nothing(app: App) {
        let (own, theirs) = (app.site("a.example").await, app.site("b.example").await);
        let ann = owner_of(&app, &own, "ann@example.com").await;
        let bob = owner_of(&app, &theirs, "bob@example.com").await;
        let base = |site: &Backend| format!("/dashboard/apps/{}", site.site_id);
        let hooks = format!("{}/webhooks", base(&theirs));
        let hook = bob.get(&hooks).await.hidden("id");
        let form = [("id", hook.as_str()), ("url", "https://axiam-hooks.invalid/axiam"), ("client.locked", "on")];
        assert_eq!(bob.post(&hooks, &form).await.status, StatusCode::OK);
        let person = theirs.enrolled("zoe@example.com").await;
        let ids = [
            ("{webhook}", hook.clone()),
            ("{client}", person.client_id.to_string()),
            ("{device}", person.phone.pairing().device_id.to_string()),
        ];
        let mut tried = 0;
        for route in app::dashboard().table() {
            if !ids.iter().any(|(name, _)| route.path.contains(name)) {
                continue;
            }
            // Under her own app, where she may do everything, and under the other, where she may do nothing.
            for site in [&own, &theirs] {
                let mut path = route.path.replace("{site}", &site.site_id.to_string());
                for (name, id) in &ids {
                    path = path.replace(name, id);
                }
                let fields = [("to", "off"), ("email", "zoe@example.com"), ("typed", "zoe@example.com"), ("overlap", "0")];
                let seen = match route.method {
                    Method::GET => ann.get(&path).await,
                    _ => ann.post(&path, &fields).await,
                };
                let what = format!("{} {path}: {seen:?}", route.method);
                assert!(seen.status.is_client_error(), "{what}");
                assert!(site.site_id == own.site_id || seen.status == StatusCode::NOT_FOUND, "{what}");
                assert!(!seen.text.contains("zoe@") && !seen.text.contains("axiam-hooks"), "{what}");
                tried += 1;
            }
        }
        assert!(tried > 20, "{tried}");
        let db = &app.app.state.db;
        let kept = webhook::of_site(db, theirs.site_id).await.unwrap();
        assert_eq!((kept.len(), kept[0].id.to_string()), (1, hook));
        assert!(count(&app, "select count(*) as n from webhooks where disabled_at is not null").await == 0);
        let site = site::find(db, theirs.site_id).await.unwrap().unwrap();
        assert!(client::find(db, &site, person.client_id).await.is_ok());
        let phones = device::paired(db, theirs.site_id, person.client_id, app.clock.now()).await.unwrap();
        assert_eq!(phones.len(), 1);
    }

    async fn a_token_of_another_tenant_is_not_revoked(app: App) {
        let (own, theirs) = (app.site("a.example").await, app.site("b.example").await);
        let ann = owner_of(&app, &own, "ann@example.com").await;
        let bob = owner_of(&app, &theirs, "bob@example.com").await;
        let keys = |site: &Backend| format!("/dashboard/apps/{}/keys", site.site_id);
        let jti = bob.get(&keys(&theirs)).await.hidden("jti");
        let revoke = format!("{}/tokens/revoke", keys(&own));
        ann.post(&revoke, &[("jti", &jti)]).await;
        assert!(ann.get(&keys(&own)).await.text.contains("was worth nothing any more"));
        let refused = ann.post(&format!("{}/tokens/revoke", keys(&theirs)), &[("jti", &jti)]).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
        assert_eq!(theirs.get(&format!("/client/{}", Uuid::new_v4())).await.code(), 1007, "it is still taken");
        assert_eq!(bob.get(&keys(&theirs)).await.hidden("jti"), jti);
    }

    async fn a_passkey_of_another_account_is_not_taken_away(app: App, |settings| settings.server.public_url = "https://signin.example".into()) {
        let bob = make_account(&app, "bob@example.com", false).await;
        make_account(&app, "ann@example.com", false).await;
        add(&signed_in(&app, "bob@example.com").await, &Authenticator::new(3)).await;
        let ann = signed_in(&app, "ann@example.com").await;
        let id = URL_SAFE_NO_PAD.encode([3; 16]);
        let db = &app.app.state.db;
        assert_eq!(account::passkeys(db, &bob).await.unwrap()[0].id, [3; 16]);
        ann.post("/dashboard/account/passkeys/remove", &[("present", PASSWORD), ("id", &id)]).await;
        assert_eq!(account::passkeys(db, &bob).await.unwrap().len(), 1);
    }

    async fn however_a_foreign_page_sends_a_form_it_counts_for_nothing(app: App) {
        let site = app.site("a.example").await;
        make_account(&app, "root@example.com", true).await;
        let visitor = signed_in(&app, "root@example.com").await;
        for route in app::dashboard().table() {
            if route.method != Method::POST {
                continue;
            }
            let path = route.path.replace("{site}", &site.site_id.to_string());
            let path = ["{client}", "{device}", "{webhook}"].iter().fold(path, |path, name| path.replace(name, &Uuid::nil().to_string()));
            for said in [
                &[("sec-fetch-site", "same-site")][..],
                &[("sec-fetch-site", "cross-site"), ("origin", app.url.as_str())],
                // Of a browser that does not say from where it sends.
                &[("origin", "https://evil.example")],
                &[("origin", "null")],
            ] {
                let seen = visitor.post_saying(&path, said).await;
                assert_eq!(seen.status, StatusCode::FORBIDDEN, "{path}: {said:?}");
            }
        }
        assert_eq!(visitor.get("/dashboard").await.status, StatusCode::OK, "nobody was signed out");
        assert_eq!(count(&app, "select count(*) as n from audit_events where action = 'access_refused'").await, 0);
    }

    async fn no_page_can_be_framed_whatever_went_wrong(app: App) {
        let site = app.site("a.example").await;
        let ann = owner_of(&app, &site, "ann@example.com").await;
        let base = format!("/dashboard/apps/{}", site.site_id);
        let wrong = [
            (StatusCode::NOT_FOUND, ann.get("/dashboard/nothing").await),
            (StatusCode::NOT_FOUND, ann.get(&format!("/dashboard/apps/{}", Uuid::new_v4())).await),
            (StatusCode::NOT_FOUND, ann.get(&format!("{base}/clients/{}", Uuid::new_v4())).await),
            (StatusCode::FORBIDDEN, ann.get("/dashboard/audit").await),
            (StatusCode::FORBIDDEN, ann.post_from_elsewhere(&format!("{base}/settings"), &[]).await),
            (StatusCode::METHOD_NOT_ALLOWED, ann.post(&format!("{base}/connect"), &[]).await),
            (StatusCode::UNAUTHORIZED, ann.post("/dashboard/sign-in", &[("email", "nobody"), ("password", "x")]).await),
            (StatusCode::BAD_REQUEST, ann.post(&format!("{base}/keys/rotate"), &[]).await),
        ];
        for (status, seen) in wrong {
            assert_eq!(seen.status, status, "{seen:?}");
            assert!(seen.text.starts_with("<!doctype"), "{seen:?}");
            for source in ["frame-ancestors 'none'", "default-src 'none'", "base-uri 'none'"] {
                assert!(seen.policy.contains(source), "{}: {seen:?}", seen.policy);
            }
        }
    }
}
