use serde_json::json;
use testkit::{Answer, App, on_each_database, photos};

on_each_database! {
    async fn a_widget_asks_by_address_and_shows_a_number(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let widget = site.with_token(&site.token_of("widget").await);
        let pushed = widget.post("/client/send_push", &json!({ "email": "Ann@example.com" })).await;
        let number = i32::try_from(pushed.data()["number"].as_i64().unwrap()).unwrap();
        assert!((0..100).contains(&number));
        let waiting = ann.phone.pending(0).await.unwrap();
        let choices = waiting[0]["number"]["choices"].as_array().unwrap();
        assert!(choices.len() == 100 && choices.contains(&json!(number)));
        let id = ann.waiting().await;
        ann.phone.scan(id, Some(number), &[photos().of(0, 1)]).await.unwrap();
        let status = widget.status(&pushed.text("verification_token")).await;
        assert_eq!(status.data()["status"], "verified");
    }

    async fn a_widgets_word_about_the_browser_is_not_believed(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let widget = site.with_token(&site.token_of("widget").await);
        let request = widget.request("POST", "/client/send_push")
            .header("X-Forwarded-For", "203.0.113.9")
            .header("X-Browser-User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0")
            .json(&json!({ "email": "ann@example.com" }));
        assert_eq!(Answer::to(request).await.code(), 0);
        assert_eq!(ann.phone.pending(0).await.unwrap()[0]["browser"], json!(null));
    }

    async fn an_unknown_address_is_1007(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        site.enrolled("ann@example.com").await;
        let body = json!({ "email": "ann@example.com" });
        assert_eq!(other.post("/client/send_push", &body).await.code(), 1007);
        let body = json!({ "email": "bob@example.com" });
        assert_eq!(site.post("/client/send_push", &body).await.code(), 1007);
    }

    async fn what_is_missing_or_wrong_is_named(app: App) {
        let site = app.site("a.example").await;
        for body in [json!({}), json!({ "email": 1 }), json!({ "email": "x" })] {
            let answer = site.post("/client/send_push", &body).await;
            assert_eq!((answer.code(), answer.field()), (1006, "email"));
        }
    }
}
