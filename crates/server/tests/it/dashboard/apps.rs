use reqwest::StatusCode;
use serde_json::json;
use server::{
    account,
    app::API,
    audit::{Action, Entry},
    site,
};
use testkit::{Answer, App, on_each_database};
use uuid::Uuid;

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

    async fn an_app_may_have_pages_at_other_addresses(app: App) {
        let ann = owner(&app).await;
        let id = Uuid::new_v4();
        let add = async |origins: &str| {
            let form = [("url", "shop.example.com"), ("id", &id.to_string()), ("test", "on"), ("origins", origins)];
            ann.post("/dashboard/apps/new", &form).await
        };
        let wrong = add("https://a.example, what?").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("what?") && wrong.text.contains("value=\"https://a.example, what?\"") && wrong.hidden("id") == id.to_string());
        assert_eq!(count(&app, "select count(*) as n from sites").await, 0);
        assert_eq!(add("https://staging.example").await.status, StatusCode::OK);
        let settings = site::find(&app.app.state.db, id).await.unwrap().unwrap().settings;
        assert!(settings.test_mode);
        for origin in ["https://shop.example.com", "https://www.shop.example.com", "https://staging.example"] {
            assert!(settings.origins.list(origin, "shop.example.com"), "{origin}");
        }
        assert!(!settings.origins.list("https://evil.example", "shop.example.com"));
        // Pages that answer a form lead on from wherever they stand.
        for page in ["keys", "connect"] {
            let page = ann.get(&format!("/dashboard/apps/{id}/{page}")).await.text;
            let links = page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
            for link in links {
                assert!(link.starts_with(['/', '#']) || link.starts_with("https:"), "{link}");
            }
        }
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

    async fn an_account_owns_so_many_and_no_more(app: App, |settings| settings.limits.apps_per_account = 1) {
        let ann = owner(&app).await;
        let add = async |id: Uuid| ann.post("/dashboard/apps/new", &[("url", "b.example"), ("id", &id.to_string())]).await;
        assert_eq!(add(Uuid::new_v4()).await.status, StatusCode::OK);
        let over = add(Uuid::new_v4()).await;
        assert_eq!(over.status, StatusCode::FORBIDDEN);
        assert!(over.text.contains("You own 1 apps"));
        // Nor by sending several forms at once; and of what is refused nothing is left.
        let bob = make_account(&app, "bob@example.com", false).await;
        let at_once = async || {
            let visitor = signed_in(&app, "bob@example.com").await;
            visitor.post("/dashboard/apps/new", &[("url", "d.example"), ("id", &Uuid::new_v4().to_string())]).await.status
        };
        let made = futures_util::future::join_all((0..4).map(|_| at_once())).await;
        assert_eq!(made.iter().filter(|status| **status == StatusCode::OK).count(), 1, "{made:?}");
        assert_eq!(count(&app, "select count(*) as n from sites where domain = 'd.example'").await, 1);
        assert_eq!(account::owned_alone(&app.app.state.db, bob.id).await.unwrap().len(), 1);
        make_account(&app, "root@example.com", true).await;
        let root = signed_in(&app, "root@example.com").await;
        for _ in 0..2 {
            let id = Uuid::new_v4().to_string();
            assert_eq!(root.post("/dashboard/apps/new", &[("url", "c.example"), ("id", &id)]).await.status, StatusCode::OK);
        }
    }

    async fn the_installations_log_is_no_app(app: App) {
        let ann = owner(&app).await;
        // Nor is the log of what is gone.
        let (state, gone) = (&app.app.state, Uuid::new_v4());
        let line = Entry::new(gone, Action::SiteSwitched).record_alone(&state.db, &state.keys, state.now());
        line.await.unwrap();
        for id in [Uuid::nil(), gone] {
            let seen = ann.post("/dashboard/apps/new", &[("url", "b.example"), ("id", &id.to_string())]).await;
            assert_eq!((seen.status, seen.location.as_str()), (StatusCode::SEE_OTHER, "/dashboard"));
            for page in ["audit", "keys", "settings"] {
                let seen = ann.get(&format!("/dashboard/apps/{id}/{page}")).await;
                assert_eq!(seen.status, StatusCode::NOT_FOUND, "{page}");
            }
        }
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
        let settings = async || site::find(&app.app.state.db, backend.site_id).await.unwrap().unwrap().settings;
        let seen = settings().await.version();
        let form = |tries| [
            ("seen", seen.as_str()), ("liveness", "passive"), ("fmr", "1/100000"), ("number_matching", "true"), ("tries", tries),
            ("origins", "https://a.example, *.b.example"), ("sign_on_days", "30"), ("audit_days", ""),
        ];
        let wrong = root.post(&path, &form("9")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("must be from 1 to 5") && wrong.text.contains("value=\"9\"") && wrong.text.contains("value=\"30\""));
        let before = settings().await;
        assert_eq!(root.post(&path, &form("4")).await.status, StatusCode::SEE_OTHER);
        let after = settings().await;
        assert_eq!((after.tries, after.sign_on_days, after.audit_days), (4, Some(30), None));
        assert!(before.backend_enrolment && !after.backend_enrolment, "what is not ticked is off");
        assert!(!after.test_mode);
        assert!(root.get(&path).await.text.contains("The settings are saved"));
        // Somebody who opened the page before knows nothing of that.
        let late = root.post(&path, &form("2")).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        // Nothing that they wrote is lost, and what holds stands beside it.
        assert!(late.text.contains("somebody changed the settings") && late.text.contains("value=\"2\"") && late.text.contains("Now: 4."), "{}", late.text);
        let version = settings().await.version();
        assert!(late.hidden("seen") == version && late.text.matches("Now: ").count() == 1);
        assert_eq!(settings().await, after);
        root.post(&format!("{path}/test-mode"), &[("to", "on")]).await;
        assert!(settings().await.test_mode);
        assert_eq!(settings().await.version(), after.version(), "test mode is switched by itself");
    }

    async fn an_app_is_called_otherwise(app: App) {
        let backend = app.site("a.example").await;
        make_account(&app, "root@example.com", true).await;
        let root = signed_in(&app, "root@example.com").await;
        let settings = format!("/dashboard/apps/{}/settings", backend.site_id);
        let path = format!("{settings}/name");
        for (name, why) in [("  ", "must not be empty"), ("elgoog\u{202e}", "signs that are not seen"), ("x".repeat(61).as_str(), "at most 60 characters")] {
            let refused = root.post(&path, &[("name", name)]).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
            assert!(refused.text.contains(why) && refused.text.contains(&format!("value=\"{name}\"")), "{name}: {}", refused.text);
        }
        for _ in 0..2 {
            assert_eq!(root.post(&path, &[("name", " Ann &  Bob’s <shop> ")]).await.location, settings);
        }
        assert!(root.get(&settings).await.text.contains("The app is called Ann &#38; Bob’s &#60;shop&#62; now"));
        assert!(root.get("/dashboard").await.text.contains("Bob’s &#60;shop&#62;</a>"));
        let ann = backend.enrolled("ann@example.com").await;
        backend.push(ann.client_id).await;
        assert_eq!(ann.phone.pending(0).await.unwrap()[0]["site"]["name"], "Ann & Bob’s <shop>");
        let lines = "select count(*) as n from audit_events where action = 'site_renamed' and detail = 'a.example -> Ann & Bob’s <shop>'";
        assert_eq!(crate::device_facial::count(&app, lines).await, 1, "the second time changes nothing");
    }

    async fn a_token_that_leaked_is_revoked_alone(app: App) {
        let backend = app.site("a.example").await;
        make_account(&app, "root@example.com", true).await;
        let root = signed_in(&app, "root@example.com").await;
        let keys = format!("/dashboard/apps/{}/keys", backend.site_id);
        let page = root.get(&keys).await.text;
        let jti = page.split("name=\"jti\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let revoke = format!("{keys}/tokens/revoke");
        root.post(&revoke, &[("jti", &Uuid::new_v4().to_string())]).await;
        assert!(root.get(&keys).await.text.contains("was worth nothing any more"));
        assert_eq!(root.post(&revoke, &[("jti", &jti)]).await.location, keys);
        let after = root.get(&keys).await.text;
        assert!(after.contains("The token is revoked") && !after.contains(&jti));
        assert_eq!(backend.get(&format!("/client/{}", Uuid::new_v4())).await.code(), 1005);
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
        server::account::give_role(&state.db, &state.keys, at, (server::account::Role::Viewer, server::account::By::Administrator), now).await.unwrap();
        let ann = signed_in(&app, "ann@example.com").await;
        for page in ["keys", "settings"] {
            let seen = ann.get(&format!("/dashboard/apps/{}/{page}", site.site_id)).await;
            assert!(!seen.text.contains(&format!("/{page}/")), "{page}: {}", seen.text);
        }
    }
}
