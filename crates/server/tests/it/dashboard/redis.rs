//! An app's way into Redis, tried on its page with a real one.

use redis::Client;
use server::site;
use testkit::{App, on_each_database};

use super::{Visitor, make_account, signed_in};
use crate::site_redis::{tend, url, with_redis};

async fn root(app: &App) -> (Visitor, String, String) {
    let site = app.site("a.example").await;
    make_account(app, "root@example.com", true).await;
    let row = site::find(&app.app.state.db, site.site_id).await.unwrap();
    let keys = format!("/dashboard/apps/{}/keys", site.site_id);
    let visitor = signed_in(app, "root@example.com").await;
    (visitor, keys, row.unwrap().channel_prefix)
}

/// What a test found: how good it is, and the sentence.
fn found(text: &str) -> Vec<(String, String)> {
    let list = text
        .split("<div role=\"status\"><ul class=\"dash-failures\">")
        .nth(1);
    let list = list.unwrap_or_else(|| panic!("nothing was tried: {text}"));
    let items = list.split("</ul>").next().unwrap().split("<li>").skip(1);
    let between = |item: &str, from: &str| {
        let rest = item.split(from).nth(1).unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    items
        .map(|item| {
            let word = item.split("class=\"chip ").nth(1).unwrap();
            (between(word, "\">"), between(item, "dash-whole\">"))
        })
        .collect()
}

on_each_database! {
    async fn a_test_says_how_far_a_backend_would_get(app: App) {
        let Some(url) = url() else { return };
        let app = with_redis(&app, &url).await;
        let (root, keys, prefix) = root(&app).await;
        let test = format!("{keys}/redis/test");
        let tried = async |password: &str| found(&root.post(&test, &[("password", password)]).await.text);
        assert!(!root.get(&keys).await.text.contains("redis/test"), "there is no user to try");
        let made = root.post(&format!("{keys}/redis"), &[("present", "")]).await;
        let (password, user) = (made.element("key-redis-password"), made.element("key-redis-user"));
        // The server has not told Redis yet.
        let early = tried("").await;
        assert_eq!(early[0], ("fine".to_owned(), "Redis answers the server.".to_owned()));
        assert!(early[1].0 == "wrong" && early[1].1.contains("does not know"), "{early:?}");
        tend(&app).await;
        let alone = tried("").await;
        assert!(alone[1].0 == "fine" && alone[1].1.contains(&format!("{prefix}:* and nothing else")), "{alone:?}");
        assert!(alone[2].0 == "note" && alone[2].1.starts_with("Nobody listens"), "{alone:?}");
        assert_eq!(alone.len(), 3, "without the password nobody signs in");
        let listened = url.replace("redis://", &format!("redis://{user}:{password}@"));
        let mut backend = Client::open(listened).unwrap().get_async_pubsub().await.unwrap();
        backend.psubscribe(format!("{prefix}:*")).await.unwrap();
        let full = tried(&password).await;
        assert!(full[2].1.starts_with("One connection listens"), "{full:?}");
        assert!(full[3].0 == "fine" && full[3].1.contains("signs in, and hears"), "{full:?}");
        assert!(!format!("{full:?}").contains(&password));
        let guessed = tried("rp_guessed").await;
        assert!(guessed[3].0 == "wrong" && guessed[3].1.contains("not the password in force"), "{guessed:?}");
        // Somebody has changed its rights.
        let mut admin = Client::open(url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
        let () = redis::cmd("ACL").arg(&["SETUSER", &user, "+get"]).query_async(&mut admin).await.unwrap();
        let changed = tried("").await;
        assert!(changed[1].0 == "wrong" && changed[1].1.contains("other rights"), "{changed:?}");
        let left: Vec<String> = redis::cmd("ACL").arg("USERS").query_async(&mut admin).await.unwrap();
        assert!(left.iter().all(|name| !name.starts_with("axiam-check-")), "{left:?}");
    }

    async fn without_redis_there_is_nothing_to_test(app: App) {
        let (root, keys, _) = root(&app).await;
        assert!(!root.get(&keys).await.text.contains("redis/test"));
        assert_eq!(root.post(&format!("{keys}/redis/test"), &[]).await.location, keys);
        assert!(root.get(&keys).await.text.contains("There is no Redis here"));
    }
}
