use reqwest::StatusCode;
use server::{
    account::{self, By, Role},
    platform::clock::Clock,
};
use testkit::{App, on_each_database};

use super::{Visitor, make_account, signed_in, visitor::PASSWORD};
use crate::device_facial::count;

async fn link(app: &App) -> String {
    let state = &app.app.state;
    let token = account::offer(&state.db, &state.keys, None, app.clock.now())
        .await
        .unwrap();
    token.reveal().to_owned()
}

async fn lines(app: &App, action: &str) -> i64 {
    count(
        app,
        &format!("select count(*) as n from audit_events where action = '{action}'"),
    )
    .await
}

on_each_database! {
    async fn the_first_account_is_made_by_the_printed_link_alone(app: App) {
        let visitor = Visitor::new(&app);
        for path in ["/dashboard", "/dashboard/sign-in"] {
            assert_eq!(visitor.get(path).await.location, "/dashboard/set-up", "{path}");
        }
        assert!(visitor.get("/dashboard/set-up").await.text.contains("Setup token"));
        let token = link(&app).await;
        let set_up = async |token: &str, email: &str, password: &str| {
            visitor.post("/dashboard/set-up", &[("token", token), ("email", email), ("password", password)]).await
        };
        assert_eq!(set_up("al_guessed", "eve@example.com", PASSWORD).await.status, StatusCode::GONE);
        assert_eq!(set_up("", "eve@example.com", PASSWORD).await.status, StatusCode::GONE);
        let wrong = set_up(&token, "not an address", PASSWORD).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("whole address") && wrong.text.contains("value=\"not an address\""));
        assert!(set_up(&token, "ann@example.com", "too short").await.text.contains("at least 15 characters"));
        assert_eq!(count(&app, "select count(*) as n from accounts").await, 0);
        let made = set_up(&token, "Ann@Example.com", PASSWORD).await;
        assert_eq!((made.status, made.location.as_str()), (StatusCode::SEE_OTHER, "/dashboard"));
        assert!(visitor.get("/dashboard").await.text.contains("No apps yet"));
        // Neither this link nor another one makes a second owner.
        let other = link(&app).await;
        for token in [&token, &other] {
            assert_eq!(set_up(token, "eve@example.com", PASSWORD).await.status, StatusCode::CONFLICT);
        }
        assert_eq!(Visitor::new(&app).get("/dashboard/set-up").await.location, "/dashboard/sign-in");
        assert_eq!(count(&app, "select count(*) as n from accounts").await, 1);
        assert_eq!(lines(&app, "account_created").await, 1);
    }

    async fn of_two_links_at_once_one_makes_the_owner(app: App) {
        let (one, two) = (link(&app).await, link(&app).await);
        let state = &app.app.state;
        let (one, two) = tokio::join!(
            account::set_up(state, &one, "ann@example.com", PASSWORD),
            account::set_up(state, &two, "bob@example.com", PASSWORD),
        );
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        assert_eq!(count(&app, "select count(*) as n from accounts").await, 1);
    }

    async fn what_is_unknown_and_what_is_wrong_look_the_same(app: App) {
        make_account(&app, "ann@example.com", true).await;
        let answer = async |email: &str| {
            let seen = Visitor::new(&app).post("/dashboard/sign-in", &[("email", email), ("password", "a wrong password")]).await;
            (seen.status, seen.set_cookie, seen.text.replace(email, "EMAIL"))
        };
        let known = answer("ann@example.com").await;
        assert_eq!(known.0, StatusCode::UNAUTHORIZED);
        assert_eq!(known, answer("nobody@example.com").await);
        assert_eq!(lines(&app, "account_refused").await, 1, "a flood of them is no flood of lines");
        let detail = "select count(*) as n from audit_events where detail like '%ann@%' or detail like '%password%'";
        assert_eq!(count(&app, detail).await, 0);
    }

    async fn guessing_is_slowed_down_for_everybody_alike(app: App, |settings| (settings.limits.sign_in_per_ip, settings.limits.sign_in_per_account) = (100, 3)) {
        make_account(&app, "ann@example.com", true).await;
        for email in ["ann@example.com", "nobody@example.com"] {
            let guess = async |password: &str| Visitor::new(&app).post("/dashboard/sign-in", &[("email", email), ("password", password)]).await;
            for _ in 0..3 {
                assert_eq!(guess("a wrong password").await.status, StatusCode::UNAUTHORIZED, "{email}");
            }
            let slowed = guess(PASSWORD).await;
            assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS, "{email}");
            assert!(slowed.text.contains("Try again in 2 minutes"), "{}", slowed.text);
        }
        app.clock.advance(101);
        signed_in(&app, "ann@example.com").await;
    }

    async fn a_session_that_was_known_before_is_worth_nothing(app: App) {
        make_account(&app, "ann@example.com", true).await;
        let visitor = signed_in(&app, "ann@example.com").await;
        let first = visitor.cookie();
        // Signing in again, over a cookie that somebody may have planted.
        visitor.post("/dashboard/sign-in", &[("email", "ann@example.com"), ("password", PASSWORD)]).await;
        assert_ne!(visitor.cookie(), first);
        let planted = Visitor::new(&app);
        planted.hold(first);
        assert!(planted.get("/dashboard").await.location.starts_with("/dashboard/sign-in"));
        let invented = Visitor::new(&app);
        invented.hold(Some("axiam_session=AAAAAAAAAAAAAAAAAAAAAA".into()));
        let seen = invented.post("/dashboard/sign-in", &[("email", "ann@example.com"), ("password", PASSWORD)]).await;
        assert!(seen.set_cookie.contains("HttpOnly") && seen.set_cookie.contains("SameSite=Lax"));
        assert!(!invented.cookie().unwrap().contains("AAAAAAAA"));
    }

    async fn over_tls_the_cookie_is_of_this_host_alone(app: App, |settings| settings.server.public_url = "https://signin.example".into()) {
        make_account(&app, "ann@example.com", true).await;
        let seen = Visitor::new(&app).post("/dashboard/sign-in", &[("email", "ann@example.com"), ("password", PASSWORD)]).await;
        assert!(seen.set_cookie.starts_with("__Host-axiam_session=") && seen.set_cookie.contains("Secure"), "{}", seen.set_cookie);
    }

    async fn whoever_signs_out_is_out_and_sessions_end_by_themselves(app: App, |settings| (settings.session.idle, settings.session.longest) = (1000, 2500)) {
        make_account(&app, "ann@example.com", true).await;
        let visitor = signed_in(&app, "ann@example.com").await;
        let cookie = visitor.cookie();
        assert_eq!(visitor.post("/dashboard/sign-out", &[]).await.location, "/dashboard/sign-in");
        visitor.hold(cookie);
        assert!(visitor.get("/dashboard").await.location.contains("sign-in"));
        assert_eq!((lines(&app, "account_signed_in").await, lines(&app, "account_signed_out").await), (1, 1));
        let idle = signed_in(&app, "ann@example.com").await;
        let used = signed_in(&app, "ann@example.com").await;
        app.clock.advance(900);
        assert_eq!(used.get("/dashboard").await.status, StatusCode::OK);
        app.clock.advance(900);
        assert!(idle.get("/dashboard").await.location.contains("sign-in"));
        assert_eq!(used.get("/dashboard").await.status, StatusCode::OK);
        app.clock.advance(800);
        assert!(used.get("/dashboard").await.location.contains("sign-in"), "at last also in use");
    }

    async fn sessions_are_listed_and_ended_from_elsewhere(app: App) {
        make_account(&app, "ann@example.com", true).await;
        make_account(&app, "bob@example.com", false).await;
        let (here, there, third) = (
            signed_in(&app, "ann@example.com").await,
            signed_in(&app, "ann@example.com").await,
            signed_in(&app, "ann@example.com").await,
        );
        let bob = signed_in(&app, "bob@example.com").await;
        let page = here.get("/dashboard/account").await;
        assert_eq!(page.text.matches("sessions/end\"").count(), 2, "{}", page.text);
        let name = page.hidden("name");
        // Of another account it is none.
        assert!(bob.post("/dashboard/account/sessions/end", &[("name", &name)]).await.location.ends_with("/account"));
        assert_eq!(bob.get("/dashboard/account").await.text.matches("No session was left to end").count(), 1);
        here.post("/dashboard/account/sessions/end", &[("name", &name)]).await;
        let out = async |visitor: &Visitor| visitor.get("/dashboard").await.location.contains("sign-in");
        assert!(out(&there).await != out(&third).await, "one of the two is ended");
        here.post("/dashboard/account/sessions/end-others", &[]).await;
        assert!(out(&there).await && out(&third).await && !out(&here).await && !out(&bob).await);
    }

    async fn another_password_ends_the_other_sessions(app: App) {
        make_account(&app, "ann@example.com", true).await;
        let (here, there) = (signed_in(&app, "ann@example.com").await, signed_in(&app, "ann@example.com").await);
        let change = async |present: &str, next: &str| here.post("/dashboard/account/password", &[("present", present), ("password", next)]).await;
        assert_eq!(change("a wrong password", "another long password").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(change(PASSWORD, "short").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(there.get("/dashboard").await.status, StatusCode::OK);
        assert_eq!(change(PASSWORD, "another long password").await.status, StatusCode::SEE_OTHER);
        assert!(there.get("/dashboard").await.location.contains("sign-in"));
        assert!(here.get("/dashboard/account").await.text.contains("The password is changed"));
    }

    async fn who_signed_in_by_a_password_that_was_replaced_meanwhile_is_out(app: App) {
        let ann = make_account(&app, "ann@example.com", true).await;
        let there = signed_in(&app, "ann@example.com").await;
        // As if the session had been begun after all others were ended.
        let db = &app.app.state.db;
        let replaced = format!("update accounts set password = '$argon2id$another' where email = '{}'", ann.email);
        sea_orm::ConnectionTrait::execute_unprepared(db, &replaced).await.unwrap();
        assert!(there.get("/dashboard").await.location.contains("sign-in"));
    }

    async fn a_changed_password_takes_back_the_link_that_was_offered(app: App) {
        let ann = make_account(&app, "ann@example.com", true).await;
        let here = signed_in(&app, "ann@example.com").await;
        let state = &app.app.state;
        let token = account::offer(&state.db, &state.keys, Some(ann.id), app.clock.now()).await.unwrap();
        let next = "another long password";
        here.post("/dashboard/account/password", &[("present", PASSWORD), ("password", next)]).await;
        let join = [("token", token.reveal()), ("password", "the thief's own password")];
        assert_eq!(Visitor::new(&app).post("/dashboard/join", &join).await.status, StatusCode::GONE);
        assert_eq!(here.get("/dashboard").await.status, StatusCode::OK);
    }

    async fn a_link_sets_a_password_once_and_not_for_ever(app: App) {
        let ann = make_account(&app, "ann@example.com", true).await;
        let there = signed_in(&app, "ann@example.com").await;
        let state = &app.app.state;
        let offer = async || account::offer(&state.db, &state.keys, Some(ann.id), app.clock.now()).await.unwrap().reveal().to_owned();
        let (older, token) = (offer().await, offer().await);
        let visitor = Visitor::new(&app);
        let join = async |token: &str| visitor.post("/dashboard/join", &[("token", token), ("password", "another long password")]).await.status;
        assert_eq!(join(&older).await, StatusCode::GONE, "a newer one takes its place");
        assert!(there.get("/dashboard").await.status == StatusCode::OK, "an offer alone changes nothing");
        assert_eq!(join(&token).await, StatusCode::SEE_OTHER);
        assert_eq!(visitor.get("/dashboard").await.status, StatusCode::OK);
        assert!(there.get("/dashboard").await.location.contains("sign-in"));
        assert_eq!(join(&token).await, StatusCode::GONE);
        let late = offer().await;
        app.clock.advance(3 * 86_400);
        assert_eq!(join(&late).await, StatusCode::GONE);
        app.app.sweep().await.unwrap();
        assert_eq!(count(&app, "select count(*) as n from account_links").await, 0);
    }

    async fn whoever_comes_back_is_led_to_where_they_wanted_to_and_nowhere_else(app: App) {
        make_account(&app, "ann@example.com", true).await;
        let visitor = Visitor::new(&app);
        let sent = visitor.get("/dashboard/apps/new?a=b%20c").await.location;
        let form = visitor.get(&sent).await;
        let next = form.hidden("next").replace("&amp;", "&");
        let fields = |next| [("email", "ann@example.com"), ("password", PASSWORD), ("next", next)];
        assert_eq!(visitor.post("/dashboard/sign-in", &fields(&next)).await.location, "/dashboard/apps/new?a=b%20c");
        for next in ["https://evil.example", "//evil.example", "/dashboard\r\nx: y", "/\\evil.example"] {
            assert_eq!(visitor.post("/dashboard/sign-in", &fields(next)).await.location, "/dashboard", "{next}");
        }
    }

    // A public server without a mail server.
    async fn owners_let_others_in_and_only_who_runs_it_makes_accounts(app: App, |settings| settings.server.public_url = "https://signin.example".into()) {
        let site = app.site("a.example").await;
        let path = format!("/dashboard/apps/{}/access", site.site_id);
        make_account(&app, "root@example.com", true).await;
        let root = signed_in(&app, "root@example.com").await;
        let invited = root.post(&path, &[("email", "ann@example.com"), ("role", "owner")]).await;
        let link = invited.element("key-link");
        let token = link.split("token=").nth(1).unwrap();
        let ann = Visitor::new(&app);
        ann.post("/dashboard/join", &[("token", token), ("password", PASSWORD)]).await;
        assert!(ann.get("/dashboard").await.text.contains("a.example"));
        // Whoever holds a new account's link is that account, so an owner is given none.
        let unknown = ann.post(&path, &[("email", "bob@example.com"), ("role", "viewer")]).await;
        assert!(unknown.text.contains("No account has this address") && !unknown.text.contains("token="));
        let kept = ann.post(&path, &[("email", "bob@example.com"), ("role", "operator")]).await.text;
        assert!(kept.contains("value=\"bob@example.com\"") && kept.contains("value=\"operator\" checked"), "{kept}");
        let own = ann.post(&path, &[("email", "ann@example.com"), ("role", "viewer")]).await;
        assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody gives the last key away by mistake");
        let bob = make_account(&app, "bob@example.com", false).await;
        assert_eq!(ann.post(&path, &[("email", "Bob@example.com"), ("role", "viewer")]).await.status, StatusCode::SEE_OTHER);
        let looks = signed_in(&app, "bob@example.com").await;
        let keys = format!("/dashboard/apps/{}/keys", site.site_id);
        assert_eq!(looks.get(&keys).await.status, StatusCode::OK);
        let id = bob.id.to_string();
        ann.post(&format!("{path}/remove"), &[("account", &id)]).await;
        assert_eq!(looks.get(&keys).await.status, StatusCode::NOT_FOUND, "at once");
        assert_eq!((lines(&app, "role_given").await, lines(&app, "role_taken").await), (2, 1));
    }

    async fn of_two_owners_who_remove_each_other_one_stays(app: App) {
        let site = app.site("a.example").await;
        let path = format!("/dashboard/apps/{}/access", site.site_id);
        let state = &app.app.state;
        let mut owners = Vec::new();
        for email in ["ann@example.com", "bob@example.com"] {
            let account = make_account(&app, email, false).await;
            let role = (Role::Owner, By::Administrator);
            account::give_role(&state.db, &state.keys, (account.id, site.site_id), role, app.clock.now()).await.unwrap();
            owners.push((account.id.to_string(), signed_in(&app, email).await));
        }
        let [(ann, anns), (bob, bobs)] = &owners[..] else { panic!() };
        let remove = format!("{path}/remove");
        let (one, other) = (("account", bob.as_str()), ("account", ann.as_str()));
        let (first, second) = tokio::join!(anns.post(&remove, std::slice::from_ref(&one)), bobs.post(&remove, std::slice::from_ref(&other)));
        // Whoever comes second has no role any more, or is told.
        let done = [first.status, second.status].iter().filter(|status| **status == StatusCode::SEE_OTHER).count();
        assert_eq!(done, 1, "{} {}", first.status, second.status);
        let left = account::members(&state.db, site.site_id).await.unwrap();
        assert_eq!(left.len(), 1);
        // Who runs the installation may take the last one out.
        let last = (left[0].account.id, site.site_id);
        assert!(account::take_role(&state.db, &state.keys, last, By::Administrator, app.clock.now()).await.unwrap());
    }
}
