//! How an app's phones are woken, on its page.

use reqwest::{StatusCode, multipart::Form};
use serde_json::json;
use server::{
    account::{self, By, Role},
    platform::clock::Clock,
    push,
};
use testkit::{App, Backend, Google, on_each_database};
use uuid::Uuid;

use super::{Visitor, make_account, signed_in};
use crate::{
    device_facial::count,
    fcm::{self, native, registration},
    web_push::{states, subscription},
};

const KEY: &str = "PRIVATE KEY";

/// An app on a server with a Google of its own and no service account, its owner, and its page.
async fn begin(app: &App) -> (App, Google, Backend, Visitor, String) {
    let google = Google::start().await;
    let app = fcm::with(app, &google).await;
    let opened = (&app.app.state.db, &app.app.state.keys);
    push::remove_account(opened, None, app.clock.now())
        .await
        .unwrap();
    let site = app.site("a.example").await;
    let owner = make_account(&app, "owner@example.com", false).await;
    let (at, role) = ((owner.id, site.site_id), (Role::Owner, By::Administrator));
    account::give_role(opened.0, opened.1, at, role, app.clock.now())
        .await
        .unwrap();
    let owner = signed_in(&app, "owner@example.com").await;
    let page = format!("/dashboard/apps/{}/push", site.site_id);
    (app, google, site, owner, page)
}

/// The phones that are offered for a test.
fn devices(text: &str) -> Vec<String> {
    let after = text.split("name=\"device\" value=\"").skip(1);
    after
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

on_each_database! {
    async fn an_owner_brings_a_service_account_which_nobody_sees_again(app: App) {
        let (app, google, site, owner, page) = begin(&app).await;
        native(&site, "ann").await;
        let empty = owner.get(&page).await;
        assert!(empty.text.contains("no service account") && empty.text.contains("1 phone ") && empty.text.contains("key-web-push-key"));
        let bring = format!("{page}/account");
        let pasted = |text: String| Form::new().text("key", text);
        let mut wrong = google.key_file();
        wrong["type"] = json!("authorized_user");
        for (form, why) in [
            (Form::new().text("key", ""), "choose the file, or paste"),
            (Form::new(), "choose the file, or paste"),
            (pasted(wrong.to_string()), "its type is not service_account"),
            (pasted("{".to_owned()), "no service account’s key"),
            (pasted("x".repeat(20_000)), "too long"),
            (pasted("x".repeat(200_000)), "too long"),
        ] {
            let refused = owner.post_parts(&bring, form).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{why}");
            let text = refused.text.replace("&#39;", "’");
            assert!(text.contains("Nothing was changed") && text.contains(why), "{why}: {text}");
            assert!(!text.contains(KEY), "{why}");
        }
        assert_eq!(count(&app, "select count(*) as n from fcm_accounts").await, 0);
        // As a browser sends it: the field for the file is there too, and empty.
        let form = pasted(format!("\u{feff}{}\n", google.key_file())).text("file", "");
        let brought = owner.post_parts(&bring, form).await;
        assert_eq!((brought.status, brought.location.as_str()), (StatusCode::SEE_OTHER, page.as_str()));
        let file = google.key_file().to_string();
        assert_eq!(owner.post_file(&bring, "file", file.as_bytes()).await.status, StatusCode::SEE_OTHER);
        let full = owner.get(&page).await.text;
        for shown in ["this app’s own", "shop-1234", "axiam@shop-1234.iam.gserviceaccount.com", "by owner@example.com"] {
            assert!(full.contains(shown), "{shown}: {full}");
        }
        assert!(!full.contains(KEY));
        let lines = |action: &str| format!("select count(*) as n from audit_events where action = '{action}' and actor like 'account %' and site_id is not null");
        assert_eq!(count(&app, &lines("push_account_set")).await, 2);
        let (removed, again) = (format!("{page}/account/remove"), "no service account of its own");
        owner.post(&removed, &[]).await;
        assert!(owner.get(&page).await.text.contains("delete its key at Google too"));
        owner.post(&removed, &[]).await;
        assert!(owner.get(&page).await.text.contains(again));
        assert_eq!(count(&app, &lines("push_account_removed")).await, 1);
    }

    async fn the_servers_account_is_said_to_be_the_servers(app: App) {
        let google = Google::start().await;
        let app = fcm::with(&app, &google).await;
        let site = app.site("a.example").await;
        make_account(&app, "root@example.com", true).await;
        let root = signed_in(&app, "root@example.com").await;
        let page = root.get(&format!("/dashboard/apps/{}/push", site.site_id)).await.text;
        assert!(page.contains("the server’s") && page.contains("shop-1234") && !page.contains("iam.gserviceaccount") && !page.contains("Remove it"));
    }

    async fn a_test_says_what_the_push_service_answered(app: App) {
        let (app, google, site, owner, page) = begin(&app).await;
        let ann = native(&site, "ann").await;
        let of_ann = format!("{page}?whom=Ann@example.com");
        let shown = owner.get(&of_ann).await.text;
        let [device] = devices(&shown).try_into().unwrap();
        let test = format!("{page}/test");
        let fields = [("whom", "ann@example.com"), ("device", device.as_str())];
        let tried = async |word: &str, told: &str| {
            let seen = owner.post(&test, &fields).await;
            assert_eq!(seen.status, StatusCode::OK);
            assert!(seen.text.contains(&format!("\">{word}</span>")) && seen.text.contains(told), "{word}: {}", seen.text);
        };
        tried("refused", "there is no service account for FCM").await;
        owner.post_file(&format!("{page}/account"), "file", google.key_file().to_string().as_bytes()).await;
        tried("delivered", "The push service took it: 200").await;
        assert_eq!(google.take()[0]["message"]["data"]["topic"], "test");
        google.next([(503, "UNAVAILABLE", None), (403, "SENDER_ID_MISMATCH", None)]);
        tried("not now", "503 UNAVAILABLE").await;
        tried("refused", "403 SENDER_ID_MISMATCH").await;
        google.give_tokens(false);
        tried("not now", "no token from Google").await;
        google.give_tokens(true);
        google.remove(&registration("ann"));
        tried("gone", "knows this phone no more").await;
        // A test changes nothing about the phone, and asks it nothing.
        assert_eq!(devices(&owner.get(&of_ann).await.text), [device.as_str()]);
        assert!(ann.phone.pending(0).await.unwrap().is_empty() && states(&app).await.is_empty());
        let there = subscription("http://127.0.0.1:9/");
        ann.phone.call("/device/push", &json!({ "push": there })).await.unwrap();
        tried("not reached", "No push service was reached").await;
        ann.phone.call("/device/push", &json!({ "push": { "kind": "none" } })).await.unwrap();
        let asleep = owner.get(&of_ann).await.text;
        assert!(asleep.contains("woken by nothing") && devices(&asleep).is_empty());
    }

    async fn nobody_elses_phone_is_tried(app: App) {
        let (app, google, site, owner, page) = begin(&app).await;
        let other = app.site("b.example").await;
        let eve = native(&other, "eve").await;
        owner.post_file(&format!("{page}/account"), "file", google.key_file().to_string().as_bytes()).await;
        native(&site, "ann").await;
        let devices = server::device::paired(&app.app.state.db, other.site_id, eve.client_id, app.clock.now()).await.unwrap();
        let theirs = devices[0].id.to_string();
        let whom = [theirs.as_str(), "eve@example.com", &eve.client_id.to_string(), "nobody", &Uuid::new_v4().to_string()].map(str::to_owned);
        for whom in whom {
            let seen = owner.post(&format!("{page}/test"), &[("whom", &whom), ("device", &theirs)]).await;
            assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{whom}");
            assert!(seen.text.contains("This app knows nobody by that"), "{whom}");
        }
        let seen = owner.post(&format!("{page}/test"), &[("whom", "ann@example.com"), ("device", &theirs)]).await;
        assert!(seen.text.contains("not tried yet"));
        assert!(google.take().is_empty());
    }

    async fn what_was_not_taken_lately_is_listed_with_its_reason(app: App) {
        let (app, _google, site, owner, page) = begin(&app).await;
        assert!(owner.get(&page).await.text.contains("No phone was pushed to"));
        let ann = native(&site, "ann").await;
        site.push(ann.client_id).await;
        app.deliver().await;
        let listed = owner.get(&page).await.text;
        assert!(listed.contains("took 0 pushes, and 1 was not taken") && listed.contains("?open=") && listed.contains("app (FCM)"), "{listed}");
    }
}
