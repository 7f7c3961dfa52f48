use reqwest::multipart::{Form, Part};
use serde_json::json;
use testkit::{Answer, App, on_each_database, photos};

on_each_database! {
    async fn a_backend_enrols_a_face_and_the_page_hears_it(app: App) {
        let site = app.site("a.example").await;
        let id = site.client("ann@example.com").await;
        let mut page = site.page().await;
        page.subscribe("FacialSignOnDeviceChannel", json!({ "client_id": id })).await;
        page.confirmed().await;
        let answer = site.upload(&id.to_string(), photos().of(0, 0)).await;
        assert_eq!(answer.data(), &json!({ "client_id": id, "status": "uploaded" }));
        let told = page.message().await;
        assert_eq!((&told["status"], &told["client_id"]), (&json!("uploaded"), &json!(id)));
        let found = site.post("/login/lookup_client", &json!({ "email": "ann@example.com" })).await;
        assert_eq!(found.data()["facial_sign_on_enabled"], true);
    }

    async fn a_site_may_forbid_it(app: App) {
        let site = app.site_with("a.example", |settings| settings.backend_enrolment = false).await;
        let id = site.client("ann@example.com").await;
        assert_eq!(site.upload(&id.to_string(), photos().of(0, 0)).await.code(), 1010);
    }

    async fn what_is_no_photo_of_a_face_is_refused(app: App) {
        let site = app.site("a.example").await;
        let id = site.client("ann@example.com").await.to_string();
        let photo = photos().of(0, 0);
        for (bytes, code) in [
            (b"just a text file, no photo".to_vec(), 1038),
            (photo[..photo.len() / 10].to_vec(), 1038),
            (blank_png(), 1033),
            (vec![0xff; 12 * 1024 * 1024 + 1], 1039),
            (vec![0xff; 20 * 1024 * 1024], 1039),
        ] {
            let size = bytes.len();
            assert_eq!(site.upload(&id, bytes).await.code(), code, "{size} bytes");
        }
        let found = site.post("/login/lookup_client", &json!({ "email": "ann@example.com" })).await;
        assert_eq!(found.data()["facial_sign_on_enabled"], false);
    }

    async fn a_broken_form_is_named(app: App) {
        let site = app.site("a.example").await;
        let id = site.client("ann@example.com").await.to_string();
        let path = "/client/upload_facial";
        let send = async |form: Form| {
            let answer = Answer::to(site.request("POST", path).multipart(form)).await;
            (answer.code(), answer.field().to_owned())
        };
        let named = |field: &str| (1006, field.to_owned());
        assert_eq!(send(Form::new().text("other", "x")).await, named("id"));
        assert_eq!(send(Form::new().text("id", id.clone())).await, named("facial"));
        let nobody = Form::new().text("id", "x").part("facial", Part::bytes(photos().of(0, 0)));
        assert_eq!(send(nobody).await.0, 1007);
        let empty = Form::new().text("id", id.clone()).part("facial", Part::bytes(vec![]));
        assert_eq!(send(empty).await, named("facial"));
        let twice = Form::new().text("id", id.clone()).text("id", id.clone());
        assert_eq!(send(twice).await, named("id"));
        let many = (0..40).fold(Form::new(), |form, n| form.text(format!("p{n}"), "x"));
        assert_eq!(send(many).await, named("body"));
        for (content_type, body) in [
            ("application/json", "{}"), ("multipart/form-data", "x"),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disp"),
        ] {
            let request = site.request("POST", path).header("content-type", content_type).body(body);
            let answer = Answer::to(request).await;
            assert_eq!((answer.code(), answer.field()), (1006, "body"), "{content_type}");
        }
    }

    async fn another_sites_client_is_1007(app: App) {
        let (site, other) = (app.site("a.example").await, app.site("b.example").await);
        let id = site.client("ann@example.com").await;
        assert_eq!(other.upload(&id.to_string(), photos().of(0, 0)).await.code(), 1007);
    }

    async fn uploads_beyond_the_memory_set_aside_are_shed(app: App, |settings| settings.server.upload_memory = 4096) {
        let site = app.site("a.example").await;
        let id = site.client("ann@example.com").await;
        let answer = site.upload(&id.to_string(), photos().of(0, 0)).await;
        assert_eq!((answer.status, answer.code()), (503, 5003));
    }
}

/// A gray picture in which nobody is.
fn blank_png() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 320, 320);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[127; 320 * 320]).unwrap();
    writer.finish().unwrap();
    file
}
