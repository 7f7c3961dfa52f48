use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use testkit::{App, on_each_database};
use uuid::Uuid;

on_each_database! {
    async fn the_code_is_a_png_of_the_link(app: App) {
        let site = app.site("a.example").await;
        let id = site.client("ann@example.com").await;
        let body = json!({ "id": id, "flow_type": "login" });
        let answer = site.post("/client/qrcode", &body).await;
        assert_eq!(answer.data()["expires_in"], 600);
        let link = answer.text("enrollment_url");
        assert!(link.starts_with(&format!("{}/phone/#et_", app.url)), "{link}");
        let png = STANDARD.decode(answer.text("qrcode_base64")).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.width, info.height);
        assert!(info.width >= 200);
        // The quiet zone is light, and not all of the code is.
        assert!(pixels[..16].iter().all(|byte| *byte == 0xff));
        assert!(pixels.contains(&0));
    }

    async fn without_flow_type_it_is_login_and_action_is_its_old_name(app: App) {
        let site = app.site("a.example").await;
        let id = site.client("ann@example.com").await;
        for body in [json!({ "id": id }), json!({ "id": id, "flow_type": null }), json!({ "id": id, "action": "login" })] {
            assert_eq!(site.post("/client/qrcode", &body).await.code(), 0);
        }
        let logins = "select count(*) as n from enrolments where flow_type = 'login'";
        assert_eq!(crate::device_facial::count(&app, logins).await, 3);
        for body in [json!({ "id": id, "action": "signup" }), json!({ "id": id, "flow_type": "signup", "action": "login" })] {
            assert_eq!(site.post("/client/qrcode", &body).await.code(), 0);
        }
        let signups = "select count(*) as n from enrolments where flow_type = 'signup'";
        assert_eq!(crate::device_facial::count(&app, signups).await, 2);
    }

    async fn another_sites_client_is_1007(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let id = site.client("ann@example.com").await;
        for (backend, id) in [(&other, id), (&site, Uuid::new_v4())] {
            let body = json!({ "id": id, "flow_type": "login" });
            assert_eq!(backend.post("/client/qrcode", &body).await.code(), 1007);
        }
    }

    async fn what_is_missing_or_wrong_is_named(app: App) {
        let site = app.site("a.example").await;
        for (body, field) in [
            (json!({}), "id"),
            (json!({ "id": [7], "flow_type": "login" }), "id"),
            (json!({ "id": Uuid::new_v4(), "action": "logout" }), "action"),
            (json!({ "id": Uuid::new_v4(), "flow_type": "logout" }), "flow_type"),
        ] {
            let answer = site.post("/client/qrcode", &body).await;
            assert_eq!((answer.code(), answer.field()), (1006, field), "{body}");
        }
    }
}
