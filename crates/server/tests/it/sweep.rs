use testkit::{App, on_each_database};

use crate::device_facial::count;

on_each_database! {
    async fn a_page_hears_that_time_ran_out(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        let verification = site.push(ann.client_id).await;
        let mut page = site.page().await;
        page.watch(&verification).await;
        app.app.sweep().await.unwrap();
        app.clock.advance(600);
        app.app.sweep().await.unwrap();
        app.app.sweep().await.unwrap();
        assert_eq!(page.message().await["status"], "expired");
        assert_eq!(count(&app, "select count(*) as n from audit_events where action = 'sign_on_expired'").await, 1);
    }

    async fn what_is_of_no_more_use_is_forgotten(app: App) {
        let site = app.site("a.example").await;
        let ann = site.enrolled("ann@example.com").await;
        site.push(ann.client_id).await;
        for table in ["device_proofs", "limits"] {
            assert!(count(&app, &format!("select count(*) as n from {table}")).await > 0);
        }
        app.clock.advance(1000);
        app.app.sweep().await.unwrap();
        for table in ["device_proofs", "limits"] {
            assert_eq!(count(&app, &format!("select count(*) as n from {table}")).await, 0, "{table}");
        }
    }
}
