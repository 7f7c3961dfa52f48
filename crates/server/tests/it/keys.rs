//! Keys replaced while two servers run, transforms revoked, templates of before.

use phone::Phone;
use sea_orm::ConnectionTrait;
use server::{
    audit,
    face::Upkeep,
    platform::{
        clock::Clock,
        config::Settings,
        db,
        keys::{self, KeyError, Keyring, Purpose},
    },
    site::Liveness,
};
use testkit::{App, Backend, Person, on_each_database, photos};
use uuid::Uuid;

use crate::{device_facial::count, device_register::code};

async fn site(app: &App) -> Backend {
    app.site_with("a.example", |settings| settings.liveness = Liveness::Off)
        .await
}

fn often(settings: &mut Settings) {
    settings.limits.push_per_ip = 100;
    settings.limits.push_per_client = 100;
    settings.limits.verify_per_ip = 100;
}

/// The command line's keyring: another program on the same database.
async fn operator(app: &App) -> Keyring {
    let (state, now) = (&app.app.state, app.clock.now());
    let file = state.settings.master_key_file();
    Keyring::open(&state.db, &file, now).await.unwrap()
}

fn upkeep<'a>(app: &'a App, keys: &'a Keyring) -> Upkeep<'a> {
    Upkeep {
        db: &app.app.state.db,
        keys,
        now: app.clock.now(),
    }
}

/// Signs a person on through a server.
async fn signs_on(site: &Backend, app: &App, person: &Person) -> Result<(), u64> {
    let site = site.through(&app.url);
    site.push(person.client_id).await;
    let mut memory = person.phone.pairing().clone();
    memory.server.clone_from(&app.url);
    let phone = Phone::wake(memory, app.clock.clone()).unwrap();
    let waiting = phone.pending(0).await.unwrap();
    let id = waiting[0]["sign_on_id"].as_str().unwrap().parse().unwrap();
    match phone.scan(id, None, &[photos().of(0, 1)]).await {
        Ok(_) => Ok(()),
        refused => Err(code(refused)),
    }
}

async fn enrols(site: &Backend, app: &App, email: &str) -> Person {
    let site = site.through(&app.url);
    site.enrolled(email).await
}

/// Bytes as SQL has them.
fn literal(app: &App, bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match app.app.state.db.get_database_backend() {
        sea_orm::DbBackend::Postgres => format!("'\\x{hex}'"),
        _ => format!("x'{hex}'"),
    }
}

fn uuid_literal(app: &App, id: Uuid) -> String {
    match app.app.state.db.get_database_backend() {
        sea_orm::DbBackend::Postgres => format!("'{id}'"),
        _ => literal(app, id.as_bytes()),
    }
}

/// A column of the one reference.
async fn ids(app: &App, column: &str) -> Uuid {
    let db = &app.app.state.db;
    let query = format!("select {column} as one from face_references");
    let statement = sea_orm::Statement::from_string(db.get_database_backend(), query);
    db.query_one_raw(statement)
        .await
        .unwrap()
        .unwrap()
        .try_get("", "one")
        .unwrap()
}

/// Puts an older version's row and the lack of a client's key in place, and lets this version start.
async fn older(app: &App, row: &str, site: &Backend, ann: &Person) {
    let db = &app.app.state.db;
    db.execute_unprepared(row).await.unwrap();
    db.execute_unprepared("delete from client_keys")
        .await
        .unwrap();
    let keys = operator(app).await;
    assert_eq!(upkeep(app, &keys).bring_up_to_date().await.unwrap(), 1);
    assert_eq!(upkeep(app, &keys).bring_up_to_date().await.unwrap(), 0);
    assert_eq!(
        count(
            app,
            "select count(*) as n from face_references where key_id is not null"
        )
        .await,
        0
    );
    signs_on(site, app, ann).await.unwrap();
}

on_each_database! {
    async fn the_data_key_is_replaced_while_two_servers_run(app: App, |settings| often(settings)) {
        let other = App::start(app.database.clone(), often).await;
        let site = site(&app).await;
        let ann = enrols(&site, &app, "ann@example.com").await;
        signs_on(&site, &other, &ann).await.unwrap();
        let keys = operator(&app).await;
        let before = app.app.state.keys.current(&app.app.state.db, Purpose::Data, app.clock.now()).await.unwrap().id;
        // Interrupted: the new key is there, nothing is sealed under it yet. Both servers go on, with
        // the old key for what is there and the new one for what comes.
        let transaction = db::begin(&app.app.state.db).await.unwrap();
        keys::retire(&transaction, &keys, Purpose::Data, app.clock.now()).await.unwrap();
        transaction.commit().await.unwrap();
        let bob = enrols(&site, &other, "bob@example.com").await;
        signs_on(&site, &app, &bob).await.unwrap();
        signs_on(&site, &app, &ann).await.unwrap();
        // The database itself keeps the old key from being lost.
        assert_eq!(keys::forget_unused(&app.app.state.db, Purpose::Data).await.unwrap(), 1);
        let mut told = Vec::new();
        let done = upkeep(&app, &keys).rotate_data_key(|done, all| told.push((done, all))).await.unwrap();
        assert_eq!((done.begun, done.done, done.needed), (false, 1, 0));
        assert_eq!(told, [(1, 1)]);
        assert_eq!(count(&app, "select count(*) as n from keys where purpose = 'data'").await, 1);
        let after = keys.current(&app.app.state.db, Purpose::Data, app.clock.now()).await.unwrap().id;
        assert_ne!(before, after);
        for server in [&app, &other] {
            for person in [&ann, &bob] {
                signs_on(&site, server, person).await.unwrap();
            }
        }
        // And once more from the beginning.
        let done = upkeep(&app, &keys).rotate_data_key(|_, _| {}).await.unwrap();
        assert_eq!((done.begun, done.done, done.needed), (true, 2, 0));
        signs_on(&site, &other, &ann).await.unwrap();
        enrols(&site, &other, "eve@example.com").await;
    }

    async fn rotating_while_people_enrol_and_sign_on_loses_nobody(app: App, |settings| often(settings)) {
        let other = App::start(app.database.clone(), often).await;
        let site = site(&app).await;
        let ann = enrols(&site, &app, "ann@example.com").await;
        let keys = operator(&app).await;
        let rotations = async {
            for _ in 0..3 {
                upkeep(&app, &keys).rotate_data_key(|_, _| {}).await.unwrap();
                upkeep(&app, &keys).reissue(site.site_id, None, |_, _| {}).await.unwrap();
            }
        };
        let enrolments = async {
            let mut people = Vec::new();
            for n in 0..4 {
                people.push(enrols(&site, &other, &format!("p{n}@example.com")).await);
            }
            people
        };
        let ((), people) = tokio::join!(rotations, enrolments);
        upkeep(&app, &keys).rotate_data_key(|_, _| {}).await.unwrap();
        for person in people.iter().chain([&ann]) {
            signs_on(&site, &app, person).await.unwrap();
        }
    }

    async fn a_leaked_template_is_revoked_without_a_photo(app: App, |settings| often(settings)) {
        let other = App::start(app.database.clone(), often).await;
        let site = site(&app).await;
        let ann = enrols(&site, &app, "ann@example.com").await;
        signs_on(&site, &other, &ann).await.unwrap();
        let db = &app.app.state.db;
        db.execute_unprepared("create table leaked as select * from face_references").await.unwrap();
        let keys = operator(&app).await;
        let one = upkeep(&app, &keys).reissue(site.site_id, Some(ann.client_id), |_, _| {}).await.unwrap();
        assert_eq!((one.done, one.needed), (1, 0));
        let changed = "select count(*) as n from face_references f join leaked l on l.id = f.id \
            where l.salt <> f.salt and l.sealed <> f.sealed and l.transform_id = f.transform_id";
        assert_eq!(count(&app, changed).await, 1);
        signs_on(&site, &other, &ann).await.unwrap();
        // The whole site: its secret is another one, the old one is gone.
        let all = upkeep(&app, &keys).reissue(site.site_id, None, |_, _| {}).await.unwrap();
        assert_eq!((all.begun, all.done, all.needed), (true, 1, 0));
        for server in [&app, &other] {
            signs_on(&site, server, &ann).await.unwrap();
        }
        let audited = "select count(*) as n from audit_events where action = 'face_reissued'";
        assert_eq!(count(&app, audited).await, 2);
        // What was leaked cannot be put back: nothing undoes its transform any more.
        let back = "update face_references set sealed = (select sealed from leaked), salt = (select salt from leaked)";
        db.execute_unprepared(back).await.unwrap();
        assert_eq!(signs_on(&site, &app, &ann).await, Err(5000));
    }

    async fn the_master_key_is_replaced(app: App, |settings| often(settings)) {
        let site = site(&app).await;
        let ann = enrols(&site, &app, "ann@example.com").await;
        let (db, now) = (&app.app.state.db, app.clock.now());
        let file = app.app.state.settings.master_key_file();
        let change = keys::rotate_master(db, &file, now).await.unwrap();
        assert_eq!(change.keys, 9);
        // The running server goes on, and a key that it makes now is sealed under the new one.
        let second = app.site_with("b.example", |settings| settings.liveness = Liveness::Off).await;
        enrols(&second, &app, "bob@example.com").await;
        signs_on(&site, &app, &ann).await.unwrap();
        let other = App::start(app.database.clone(), often).await;
        signs_on(&site, &other, &ann).await.unwrap();
        enrols(&second, &other, "eve@example.com").await;
        // The old file opens nothing any more.
        let old = Keyring::open(db, &change.kept, now).await;
        assert!(matches!(old, Err(KeyError::OtherMaster)));
    }

    async fn faces_of_before_there_were_transforms_are_moved_under_one(app: App, |settings| often(settings)) {
        let site = site(&app).await;
        let ann = enrols(&site, &app, "ann@example.com").await;
        let (state, now) = (&app.app.state, app.clock.now());
        let template = state.engine.template(photos().of(0, 0).into(), &[]).await.unwrap();
        let key = state.keys.current(&state.db, Purpose::Data, now).await.unwrap();
        let about: Vec<u8> = [site.site_id, ann.client_id, key.id].iter().flat_map(|id| *id.as_bytes()).collect();
        let sealed = key.sealing().unwrap().seal(&about, &template.to_bytes()).unwrap();
        let (sealed, key_id) = (literal(&app, &sealed), uuid_literal(&app, key.id));
        let back = format!("update face_references set sealed = {sealed}, key_id = {key_id}, transform_id = null, salt = null");
        older(&app, &back, &site, &ann).await;
    }

    async fn faces_that_the_data_key_sealed_are_moved_under_their_clients_key(app: App, |settings| often(settings)) {
        let site = site(&app).await;
        let ann = enrols(&site, &app, "ann@example.com").await;
        let (state, now) = (&app.app.state, app.clock.now());
        let template = state.engine.template(photos().of(0, 0).into(), &[]).await.unwrap();
        let data = state.keys.current(&state.db, Purpose::Data, now).await.unwrap();
        let secret = state.keys.current(&state.db, Purpose::Transform(site.site_id), now).await.unwrap();
        let (reference, salt) = (ids(&app, "id").await, ids(&app, "salt").await);
        let about = [b"axiam client transform".as_slice(), ann.client_id.as_bytes(), salt.as_bytes()].concat();
        let protection = face::Protection::from_secret(&secret.derive(&about), template.dims()).unwrap();
        let bound = [site.site_id, ann.client_id, data.id, reference, secret.id, salt];
        let bound: Vec<u8> = bound.iter().flat_map(|id| *id.as_bytes()).collect();
        let protected = protection.protect(&template).unwrap();
        let sealed = data.sealing().unwrap().seal(&bound, &protected.to_bytes()).unwrap();
        let (sealed, key_id) = (literal(&app, &sealed), uuid_literal(&app, data.id));
        older(&app, &format!("update face_references set sealed = {sealed}, key_id = {key_id}"), &site, &ann).await;
    }

    async fn the_same_face_on_two_sites_cannot_be_linked(app: App, |settings| often(settings)) {
        let (one, two) = (site(&app).await, app.site_with("b.example", |s| s.liveness = Liveness::Off).await);
        enrols(&one, &app, "ann@example.com").await;
        enrols(&two, &app, "ann@example.com").await;
        let distinct = "select count(distinct transform_id) + count(distinct salt) as n from face_references";
        assert_eq!(count(&app, distinct).await, 4);
    }

    /// Versions of before chained the audit log and sealed frames with what the session's key derives.
    async fn the_sessions_key_goes_without_the_audit_log_or_frames(app: App, |settings| often(settings)) {
        let site = site(&app).await;
        let ann = enrols(&site, &app, "ann@example.com").await;
        signs_on(&site, &app, &ann).await.unwrap();
        let db = &app.app.state.db;
        let before = operator(&app).await;
        // What was written before there were keys of their own.
        db.execute_unprepared("delete from keys where purpose in ('audit', 'frames', 'outgoing')").await.unwrap();
        let keys = operator(&app).await;
        let transaction = db::begin(db).await.unwrap();
        keys::retire(&transaction, &keys, Purpose::Session, app.clock.now()).await.unwrap();
        transaction.commit().await.unwrap();
        let after = operator(&app).await;
        assert_ne!(before.derive_session_secret(ann.client_id), after.derive_session_secret(ann.client_id));
        let sealed = before.frames_key().sealing().unwrap().seal(b"", b"frame").unwrap();
        assert!(after.frames_key().sealing().unwrap().open(b"", &sealed).is_ok());
        let sealed = before.outgoing_key().sealing().unwrap().seal(b"", b"whsec").unwrap();
        assert!(after.outgoing_key().sealing().unwrap().open(b"", &sealed).is_ok());
        let report = audit::verify(db, &after, site.site_id, None).await.unwrap();
        assert!(report.lines > 3 && report.breach.is_none(), "{report:?}");
        // A server that starts now goes on with the log and the people.
        let other = App::start(app.database.clone(), often).await;
        signs_on(&site, &other, &ann).await.unwrap();
        let report = audit::verify(db, &after, site.site_id, None).await.unwrap();
        assert!(report.breach.is_none(), "{report:?}");
    }

    async fn a_key_is_found_only_for_its_purpose(app: App, |settings| often(settings)) {
        let (state, now) = (&app.app.state, app.clock.now());
        let data = state.keys.current(&state.db, Purpose::Data, now).await.unwrap();
        let wrong = state.keys.find(&state.db, Purpose::Transform(Uuid::nil()), data.id).await;
        assert!(matches!(wrong, Err(KeyError::Missing(_))));
    }
}
