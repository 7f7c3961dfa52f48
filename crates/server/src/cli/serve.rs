//! `axiam serve`: from settings to a running server, and down again without losing anyone.

use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use face::{Engine, Limits};
use sea_orm::DatabaseConnection;
use tokio::net::TcpListener;

use super::{
    CommandError,
    log::{self, Filter},
    signals,
};
use crate::{
    app::App,
    cable,
    face::Upkeep,
    http::{
        listen::{self, Bounds},
        metrics,
    },
    platform::{
        clock::{Clock, SystemClock},
        config::{Overrides, Settings},
        db,
        keys::Keyring,
        state::State,
    },
    site::{self, Liveness},
};

/// How long requests under way may take to end when pages have been sent away. With the default of
/// `cable.drain` a stop takes five seconds at most: `docker stop` waits ten before it kills.
const GRACE: Duration = Duration::from_secs(2);

/// How long the database's connections may take to close.
const FAREWELL: Duration = Duration::from_millis(500);

/// Opens the database and brings it up to date.
pub(super) async fn open_database(settings: &Settings) -> Result<DatabaseConnection, CommandError> {
    let db = db::open(&settings.database_url(), settings.database.max_connections).await?;
    db::migrate(&db).await?;
    Ok(db)
}

/// The folder of the face pack: the first candidate that exists.
pub(super) fn find_pack(settings: &Settings) -> Result<PathBuf, CommandError> {
    let candidates = settings.pack_candidates();
    candidates
        .iter()
        .find(|dir| dir.is_dir())
        .cloned()
        .ok_or_else(|| {
            let looked: Vec<String> = candidates
                .iter()
                .map(|dir| dir.display().to_string())
                .collect();
            format!(
                "no face pack found. Run `make models` in the repository, or set face.pack \
                 (AXIAM_FACE_PACK) to a pack's folder. Looked in: {}",
                looked.join(", ")
            )
            .into()
        })
}

/// What one photo may take.
fn photo_limits(settings: &Settings) -> Limits {
    Limits {
        memory: settings.face.photo_memory.into(),
        ..Limits::default()
    }
}

pub(super) async fn run(settings: Settings, sources: Overrides) -> Result<(), CommandError> {
    let log = log::start(&settings)?;
    let pack = find_pack(&settings)?;
    let limits = photo_limits(&settings);
    let engine = tokio::task::spawn_blocking(move || Engine::load(&pack)).await??;
    let engine = engine.with_limits(limits);
    let db = open_database(&settings).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let keys = Keyring::open(&db, &settings.master_key_file(), clock.now()).await?;
    let upkeep = Upkeep {
        db: &db,
        keys: &keys,
        now: clock.now(),
    };
    upkeep.bring_up_to_date().await?;
    let cable = cable::open(&settings, &keys)
        .await
        .map_err(|error| format!("{error}; check redis.url and that it is running"))?;
    let listener = TcpListener::bind(settings.server.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", settings.server.listen))?;
    // Port 0 asks the system for a free one; what it chose is the address to print and to sign.
    let mut settings = settings;
    settings.server.listen = listener.local_addr()?;
    let first = demo_site(&db, &settings, clock.now()).await?;
    let app = App::new(settings, db, clock, keys, Arc::new(engine), cable);
    signals::on_hangup({
        let state = app.state.clone();
        move || reload(&sources, &log, &state)
    })?;
    // Whoever reads the greeting may send a signal at once.
    let asked_to_stop = signals::asked_to_stop();
    greet(&app.state.settings, first.as_deref());
    signals::notify("READY=1");
    serve(app, listener, asked_to_stop).await
}

async fn serve(
    app: App,
    listener: TcpListener,
    asked_to_stop: impl Future<Output = ()>,
) -> Result<(), CommandError> {
    let sweeper = tokio::spawn({
        let app = app.clone();
        async move {
            let mut every = tokio::time::interval(Duration::from_secs(1));
            every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut swept = None;
            loop {
                every.tick().await;
                let now = app.state.now();
                let went_back = swept.is_none_or(|before| now < before);
                let bound = async {
                    if went_back {
                        app.bound_waits().await
                    } else {
                        Ok(())
                    }
                };
                match bound.await.and(app.sweep().await) {
                    Ok(()) => swept = Some(now),
                    Err(error) => tracing::warn!(%error, "could not sweep; trying again"),
                }
            }
        }
    });
    let keeper = tokio::spawn({
        let app = app.clone();
        async move {
            let mut every = tokio::time::interval(Duration::from_secs(1));
            every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                every.tick().await;
                if let Err(error) = app.publisher.reconcile_redis().await {
                    tracing::warn!(%error, "could not look after Redis; trying again");
                }
            }
        }
    });
    measure(&app).await?;
    let settings = &app.state.settings;
    let bounds = Bounds {
        connections: settings.server.connections,
        head: Duration::from_secs(settings.server.head_timeout.into()),
        grace: GRACE,
    };
    let (cable, wake_ups) = (app.cable.clone(), app.state.wake_ups.clone());
    let drain = Duration::from_secs(settings.cable.drain.into());
    let until = async move {
        asked_to_stop.await;
        tracing::info!("stopping");
        signals::notify("STOPPING=1");
        wake_ups.end_waiting();
        // Pages are told to reconnect while requests under way are finished.
        cable.drain(drain).await;
    };
    if !listen::serve(listener, app.router(), bounds, until).await {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    sweeper.abort();
    keeper.abort();
    match tokio::time::timeout(FAREWELL, app.state.db.clone().close()).await {
        Ok(closed) => Ok(closed?),
        Err(_) => Ok(()),
    }
}

/// Serves what is counted, where the settings say so.
async fn measure(app: &App) -> Result<(), CommandError> {
    let address = &app.state.settings.metrics.listen;
    if address.is_empty() {
        return Ok(());
    }
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("metrics.listen: cannot listen on {address}: {error}"))?;
    let routes = metrics::start(&app.state.events, app.cable.clone())?;
    tracing::info!(address = %listener.local_addr()?, "numbers are at /metrics");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(())
}

/// Takes up what can change while the program runs: the log's level, and whom to believe where
/// requests came from. Everything else needs a restart.
fn reload(sources: &Overrides, log: &Filter, state: &State) {
    let taken = Settings::load(sources)
        .map_err(CommandError::from)
        .and_then(|settings| {
            log.set(&settings)?;
            state.trust(&settings.server.trusted_proxies);
            Ok(())
        });
    match taken {
        Ok(()) => tracing::warn!("SIGHUP: log.level and server.trusted_proxies were read again"),
        Err(error) => tracing::error!(%error, "SIGHUP: the settings stay as they are"),
    }
}

/// Makes the demo site at the very first start and keeps its keys in `demo.env`.
async fn demo_site(
    db: &DatabaseConnection,
    settings: &Settings,
    now: crate::platform::clock::Moment,
) -> Result<Option<PathBuf>, CommandError> {
    let file = settings.data_dir.join("demo.env");
    if file.exists() || !site::all(db).await?.is_empty() {
        return Ok(file.exists().then_some(file));
    }
    let mut new = site::create(db, "http://localhost", now).await?;
    new.site.settings.liveness = Liveness::Passive;
    site::store_settings(db, &new.site).await?;
    let text = format!(
        "# The demo site of this Axiam; for trying out, not for people.\n\
         API={}/api/v1/facial_sign_on\nSITE_ID={}\nAPI_KEY={}\nSECRET_KEY={}\n",
        settings.public_url(),
        new.site.id,
        new.site.api_key,
        new.secret_key.reveal(),
    );
    write_private(&file, &text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Some(file))
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        db::make_private_folder(folder)?;
    }
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?
        .write_all(text.as_bytes())
}

fn greet(settings: &Settings, demo: Option<&Path>) {
    let url = settings.public_url();
    let program = std::env::args().next().unwrap_or_else(|| "axiam".into());
    say!(
        "Axiam is running at {url} (open it for what to do next; API contract: {url}/api/openapi.json)"
    );
    if let Some(demo) = demo {
        say_on!("{}", first_sign_on(&program, settings, demo));
    }
}

/// The lines of a first sign-on, ready to paste; the README explains them.
fn first_sign_on(program: &str, settings: &Settings, demo: &Path) -> String {
    let elsewhere = settings.data_dir != Path::new("./data");
    let data = elsewhere.then(|| format!(" --data-dir {}", settings.data_dir.display()));
    let phone = format!("{program}{} phone", data.unwrap_or_default());
    format!(
        r#"
A demo site is ready; its keys are in {demo}. It takes a still photo for a face (liveness=passive), so
that the lines below work; new sites ask people to move. A first sign-on, in another terminal:

  # the site: a token, a client, a link for the phone
  . {demo}
  get() {{ sed -E "s/.*\"$1\":\"([^\"]+)\".*/\1/"; }}
  post() {{ curl -s "$API/$1" -H "Authorization: Bearer $TOKEN" -d "$2"; }}
  TOKEN=$(post application_auth "{{\"api_key\":\"$API_KEY\",\"secret_key\":\"$SECRET_KEY\"}}" | get authenticated_token)
  CLIENT=$(post client/create '{{"email":"ann@example.com","full_name":"Ann Example"}}' | get client_id)
  LINK=$(post client/qrcode "{{\"id\":\"$CLIENT\",\"flow_type\":\"signup\"}}" | get enrollment_url)

  # the person: pair the phone, enrol a face (any photo of one person, or these)
  {phone} pair "$LINK"
  {phone} enrol models/build/demo-faces/person1/01.jpg

  # the site asks, the person scans, the site redeems the proof
  VERIFICATION=$(post login/push_notification "{{\"id\":\"$CLIENT\"}}" | get verification_token)
  {phone} scan models/build/demo-faces/person1/02.jpg
  SESSION=$(curl -s "$API/login/status?verification_token=$VERIFICATION" -H "Authorization: Bearer $TOKEN" | get client_session_token)
  post login/validate_session "{{\"client_session_token\":\"$SESSION\",\"client_id\":\"$CLIENT\"}}"

"#,
        demo = demo.display(),
    )
}
