use reqwest::StatusCode;
use serde_json::json;
use server::{app::API, site};
use testkit::{Answer, App, on_each_database};

use super::{Visitor, make_account, signed_in};
use crate::device_facial::count;

async fn authenticates(app: &App, api_key: &str, secret_key: &str) -> bool {
    let keys = json!({ "api_key": api_key, "secret_key": secret_key });
    let request = reqwest::Client::new().post(format!("{}{API}/application_auth", app.url));
    Answer::to(request.json(&keys)).await.code() == 0
}

async fn owner(app: &App) -> Visitor {
    make_account(app, "ann@example.com", false).await;
    signed_in(app, "ann@example.com").await
}

on_each_database! {
    async fn an_app_is_made_of_whatever_is_pasted(app: App) {
        let ann = owner(&app).await;
        for (url, says) in [("", "no domain"), ("co.uk", "Others register"), ("ftp://a.example", "no domain")] {
            let seen = ann.post("/dashboard/apps/new", &[("url", url)]).await;
            assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{url}");
            assert!(seen.text.contains(says) && seen.text.contains(&format!("value=\"{url}\"")), "{}", seen.text);
        }
        let url = "  HTTPS://www.Shop.Example.co.uk:8443/login?next=/#x ";
        let found = ann.post("/dashboard/apps/new", &[("url", url)]).await;
        assert!(found.text.contains("class=\"dash-domain\">shop.example.co.uk<"), "{}", found.text);
        assert_eq!(count(&app, "select count(*) as n from sites").await, 0, "seen, not made");
        let id = found.hidden("id");
        let made = ann.post("/dashboard/apps/new", &[("url", url), ("id", &id)]).await;
        let (api_key, secret_key) = (made.element("key-api-key"), made.element("key-secret-key"));
        assert!(authenticates(&app, &api_key, &secret_key).await);
        // The same form again makes nothing.
        let again = ann.post("/dashboard/apps/new", &[("url", url), ("id", &id)]).await;
        assert_eq!(again.status, StatusCode::SEE_OTHER);
        assert_eq!(count(&app, "select count(*) as n from sites").await, 1);
        for path in ["/dashboard", "/dashboard/apps/{id}/keys", "/dashboard/apps/{id}/connect"] {
            let page = ann.get(&path.replace("{id}", &id)).await;
            assert!(page.text.contains("shop.example.co.uk") && !page.text.contains(&secret_key), "{path}");
        }
        let known = ann.post("/dashboard/apps/new", &[("url", "shop.example.co.uk")]).await;
        assert!(known.text.contains("already"));
    }

    async fn an_id_that_is_somebodys_gives_nothing_away(app: App) {
        let site = app.site("a.example").await;
        let ann = owner(&app).await;
        let id = site.site_id.to_string();
        let seen = ann.post("/dashboard/apps/new", &[("url", "b.example"), ("id", &id)]).await;
        assert_eq!((seen.status, seen.location.as_str()), (StatusCode::SEE_OTHER, "/dashboard"));
        assert!(!ann.get("/dashboard").await.text.contains("a.example"));
        assert_eq!(ann.get(&format!("/dashboard/apps/{id}/keys")).await.status, StatusCode::NOT_FOUND);
    }

    async fn another_secret_is_shown_once_and_the_one_before_is_taken_for_a_while(app: App) {
        let site = app.site("a.example").await;
        make_account(&app, "root@example.com", true).await;
        let root = signed_in(&app, "root@example.com").await;
        let keys = format!("/dashboard/apps/{}/keys", site.site_id);
        let present = root.get(&keys).await.hidden("present");
        let rotate = format!("{keys}/rotate");
        let form = [("present", present.as_str()), ("overlap", "3600")];
        let made = root.post(&rotate, &form).await;
        let secret = made.element("key-secret-key");
        assert!(authenticates(&app, &site.api_key, &secret).await && authenticates(&app, &site.api_key, &site.secret_key).await);
        // Sent again, as by loading the page again, it makes none.
        assert_eq!(root.post(&rotate, &form).await.status, StatusCode::SEE_OTHER);
        let page = root.get(&keys).await;
        assert!(page.text.contains("the one before is taken too") && page.text.contains("Nothing was changed now") && !page.text.contains(&secret));
        app.clock.advance(3601);
        assert!(!authenticates(&app, &site.api_key, &site.secret_key).await);
        assert!(authenticates(&app, &site.api_key, &secret).await);
        let forever = [("present", page.hidden("present")), ("overlap", "4000000000".to_owned())];
        let forever = forever.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(root.post(&rotate, &forever).await.status, StatusCode::BAD_REQUEST);
    }

    async fn settings_are_saved_or_said_to_be_wrong(app: App) {
        let backend = app.site("a.example").await;
        make_account(&app, "root@example.com", true).await;
        let root = signed_in(&app, "root@example.com").await;
        let path = format!("/dashboard/apps/{}/settings", backend.site_id);
        let form = |tries| [
            ("liveness", "passive"), ("fmr", "1/100000"), ("number_matching", "true"), ("tries", tries),
            ("origins", "https://a.example, *.b.example"), ("sign_on_days", "30"), ("audit_days", ""),
        ];
        let wrong = root.post(&path, &form("9")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("must be from 1 to 5") && wrong.text.contains("value=\"9\"") && wrong.text.contains("value=\"30\""));
        let settings = async || site::find(&app.app.state.db, backend.site_id).await.unwrap().unwrap().settings;
        let before = settings().await;
        assert_eq!(root.post(&path, &form("4")).await.status, StatusCode::SEE_OTHER);
        let after = settings().await;
        assert_eq!((after.tries, after.sign_on_days, after.audit_days), (4, Some(30), None));
        assert!(before.backend_enrolment && !after.backend_enrolment, "what is not ticked is off");
        assert!(!after.test_mode);
        assert!(root.get(&path).await.text.contains("The settings are saved"));
        root.post(&format!("{path}/test-mode"), &[("to", "on")]).await;
        assert!(settings().await.test_mode);
    }

    async fn what_is_dangerous_must_be_meant(app: App) {
        let backend = app.site("a.example").await;
        make_account(&app, "root@example.com", true).await;
        let root = signed_in(&app, "root@example.com").await;
        let path = format!("/dashboard/apps/{}/settings", backend.site_id);
        let email = json!({ "email": "nobody@example.com" });
        let code = async || backend.post("/login/lookup_client", &email).await.code();
        for (what, form) in [("revoke-tokens", [("domain", "b.example"), ("to", "off")]), ("switch", [("domain", ""), ("to", "off")])] {
            let seen = root.post(&format!("{path}/{what}"), &form).await;
            assert!(seen.status == StatusCode::UNPROCESSABLE_ENTITY && seen.text.contains("Nothing was done"), "{what}");
        }
        assert_eq!(code().await, 1007);
        root.post(&format!("{path}/revoke-tokens"), &[("domain", "A.example")]).await;
        app.clock.advance(2);
        assert_eq!(code().await, 1005);
        root.post(&format!("{path}/switch"), &[("domain", "a.example"), ("to", "off")]).await;
        assert!(!authenticates(&app, &backend.api_key, &backend.secret_key).await);
        assert!(root.get("/dashboard").await.text.contains("class=\"chip bad\">off"));
        root.post(&format!("{path}/switch"), &[("to", "on")]).await;
        assert!(authenticates(&app, &backend.api_key, &backend.secret_key).await);
    }

    async fn who_looks_is_shown_no_buttons(app: App) {
        let site = app.site("a.example").await;
        let ann = make_account(&app, "ann@example.com", false).await;
        let state = &app.app.state;
        let at = (ann.id, site.site_id);
        let now = server::platform::clock::Clock::now(&*app.clock);
        server::account::give_role(&state.db, &state.keys, at, server::account::Role::Viewer, now).await.unwrap();
        let ann = signed_in(&app, "ann@example.com").await;
        for page in ["keys", "settings"] {
            let seen = ann.get(&format!("/dashboard/apps/{}/{page}", site.site_id)).await;
            assert!(!seen.text.contains(&format!("/{page}/")), "{page}: {}", seen.text);
        }
    }
}
