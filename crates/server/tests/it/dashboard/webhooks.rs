use reqwest::StatusCode;
use server::webhook;
use testkit::{App, Reaction, Receiver, on_each_database};
use uuid::Uuid;

use super::{Visitor, make_account, signed_in};
use crate::webhooks::nearby;

/// Who runs the installation, and the address of a site's webhooks in the dashboard.
async fn root(app: &App) -> (Visitor, Uuid, String) {
    let site = app.site("a.example").await;
    make_account(app, "root@example.com", true).await;
    let all = format!("/dashboard/apps/{}/webhooks", site.site_id);
    (signed_in(app, "root@example.com").await, site.site_id, all)
}

on_each_database! {
    async fn a_webhook_is_added_once_with_the_secret_that_signs(app: App, |settings| nearby(settings)) {
        let (root, site, all) = root(&app).await;
        let endpoint = Receiver::start().await;
        let empty = root.get(&all).await;
        assert!(empty.text.contains("No webhook yet"));
        let id = empty.hidden("id");
        let form = [("id", id.as_str()), ("url", endpoint.url.as_str()), ("client.locked", "on")];
        let added = root.post(&all, &form).await;
        assert_eq!(added.status, StatusCode::OK);
        assert!(added.element("key-webhook-secret").starts_with("whsec_"));
        let again = root.post(&all, &form).await;
        assert_eq!((again.status, again.location.as_str()), (StatusCode::SEE_OTHER, all.as_str()));
        let list = root.get(&all).await.text;
        assert!(list.contains("This form was sent before") && list.contains("1 kind of event") && !list.contains("whsec_"));
        let state = &app.app.state;
        assert_eq!(webhook::of_site(&state.db, site).await.unwrap().len(), 1);
        let own = format!("{all}/{id}");
        root.post(&format!("{own}/test"), &[]).await;
        let page = root.get(&own).await.text;
        assert!(page.contains("Delivered: your endpoint answered 200") && page.contains("webhook.test"));
        assert_eq!(endpoint.take().len(), 1);
    }

    async fn an_address_that_cannot_be_told_is_refused_with_what_was_typed(app: App) {
        let (root, _, all) = root(&app).await;
        for (url, why) in [
            ("nonsense", "Paste the whole address"),
            ("https://127.0.0.1/x", "Messages are not posted there"),
            ("ftp://shop.example.com", "Messages are not posted there"),
            ("", "Paste the whole address"),
        ] {
            let refused = root.post(&all, &[("url", url), ("client.locked", "on")]).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{url}");
            assert!(refused.text.contains(why) && refused.text.contains(&format!("value=\"{url}\"")), "{url}");
            assert!(refused.text.contains("name=\"client.locked\" checked"), "{url}");
        }
    }

    async fn what_was_not_delivered_is_seen_and_sent_again(app: App, |settings| nearby(settings)) {
        let (root, _, all) = root(&app).await;
        let endpoint = Receiver::start().await;
        let id = root.get(&all).await.hidden("id");
        root.post(&all, &[("id", &id), ("url", &endpoint.url)]).await;
        let own = format!("{all}/{id}");
        endpoint.next([Reaction::Answer(500, None)]);
        root.post(&format!("{own}/test"), &[]).await;
        let page = root.get(&own).await;
        assert!(page.text.contains("Not delivered: 500") && page.text.contains("Deliver all that were not delivered"));
        root.post(&format!("{own}/replay"), &[]).await;
        assert!(root.get(&own).await.text.contains("It is delivered once more"));
        assert_eq!(app.deliver().await, 1);
        let page = root.get(&own).await;
        assert!(page.text.contains(">delivered</span>"));
        let delivery = page.text.split("name=\"delivery\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        root.post(&format!("{own}/replay"), &[("delivery", &delivery)]).await;
        root.post(&format!("{own}/replay"), &[("delivery", &Uuid::new_v4().to_string())]).await;
        assert!(root.get(&own).await.text.contains("There is nothing to deliver again"));
        assert_eq!((app.deliver().await, endpoint.take().len()), (1, 3));
    }

    async fn its_secret_is_replaced_once_and_it_is_switched_and_removed(app: App, |settings| nearby(settings)) {
        let (root, site, all) = root(&app).await;
        let endpoint = Receiver::start().await;
        let id = root.get(&all).await.hidden("id");
        root.post(&all, &[("id", &id), ("url", &endpoint.url)]).await;
        let own = format!("{all}/{id}");
        let present = root.get(&own).await.hidden("present");
        let rotate = format!("{own}/rotate");
        let fields = [("present", present.as_str()), ("overlap", "3600")];
        assert_eq!(root.post(&rotate, &[("present", present.as_str()), ("overlap", "7")]).await.status, StatusCode::BAD_REQUEST);
        let rotated = root.post(&rotate, &fields).await;
        assert!(rotated.element("key-webhook-secret").starts_with("whsec_") && rotated.text.contains("the one before signs too"));
        assert_eq!(root.post(&rotate, &fields).await.location, own, "sent twice it changes nothing");
        assert!(root.get(&own).await.text.contains("sent before"));
        root.post(&format!("{own}/switch"), &[("to", "off")]).await;
        assert!(root.get(&own).await.text.contains("<strong>Off</strong>, by an owner"));
        root.post(&format!("{own}/switch"), &[("to", "on")]).await;
        assert!(root.get(&own).await.text.contains("It is on"));
        assert_eq!(root.post(&format!("{own}/remove"), &[]).await.location, all);
        assert_eq!(root.get(&own).await.status, StatusCode::NOT_FOUND);
        assert!(webhook::of_site(&app.app.state.db, site).await.unwrap().is_empty());
    }
}
