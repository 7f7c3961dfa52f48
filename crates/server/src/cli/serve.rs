//! `axiam serve`: from settings to a running server, and down again without losing anyone.

use std::{path::PathBuf, sync::Arc, time::Duration};

use face::{Engine, Limits};
use sea_orm::DatabaseConnection;
use tokio::net::TcpListener;

use super::{
    CommandError,
    demo::{self, DemoSite},
    first_account,
    log::{self, Filter},
    signals,
};
use crate::{
    app::App,
    audit,
    cable::{self, backend},
    face::Upkeep,
    http::{
        health,
        listen::{self, Bounds, Door},
        metrics,
        socket::Listener,
        tls::Tls,
    },
    platform::{
        clock::{Clock, SystemClock},
        config::{Overrides, Settings},
        db::{self, Claim},
        keys::Keyring,
        places::Places,
        private_file,
        state::State,
        tls::Certificates,
    },
    site, trust,
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

/// Claims an embedded database for this server; `None` where there is none.
fn claim(settings: &Settings) -> Result<Option<Claim>, CommandError> {
    let Some(file) = db::file(&settings.database_url()) else {
        return Ok(None);
    };
    if let Some(folder) = file.parent() {
        private_file::make_folder(folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    }
    Ok(Some(Claim::on(&file, !settings.redis.url.is_empty())?))
}

/// Opens the database and the keys, which whatever is to be recorded needs.
pub(super) async fn open_all(
    settings: &Settings,
) -> Result<(DatabaseConnection, Keyring), CommandError> {
    let db = open_database(settings).await?;
    let keys = Keyring::open(&db, &settings.master_key_file(), SystemClock.now()).await?;
    Ok((db, keys))
}

/// Refuses to be reached in plain text from beyond this machine, unless that was asked for.
pub(super) fn refuse_plain_text(settings: &Settings, insecure: bool) -> Result<(), CommandError> {
    if insecure || !settings.is_plain_text() {
        return Ok(());
    }
    Err(format!(
        "server.public_url is {}, plain http beyond this machine: whoever is on the way reads and changes \
         everything. Put a proxy with TLS in front and set it to the https:// address, or start with \
         --insecure",
        settings.public_url()
    )
    .into())
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

pub(super) async fn run(
    settings: Settings,
    sources: Overrides,
    with_demo: bool,
) -> Result<(), CommandError> {
    let log = log::start(&settings)?;
    let pack = find_pack(&settings)?;
    let limits = photo_limits(&settings);
    let engine = tokio::task::spawn_blocking(move || Engine::load(&pack)).await??;
    let engine = engine.with_limits(limits);
    let _claim = claim(&settings)?;
    let db = open_database(&settings).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let keys = Keyring::open(&db, &settings.master_key_file(), clock.now()).await?;
    let upkeep = Upkeep {
        db: &db,
        keys: &keys,
        now: clock.now(),
    };
    upkeep.bring_up_to_date().await?;
    let sites = site::all(&db).await?.into_iter().map(|site| site.id);
    audit::begin(&db, &keys, sites.chain([audit::INSTALLATION]), clock.now()).await?;
    audit::Entry::new(audit::INSTALLATION, audit::Action::ServerStarted)
        .detail(concat!("axiam ", env!("CARGO_PKG_VERSION")))
        .record_alone(&db, &keys, clock.now())
        .await?;
    let cable = cable::open(&settings, &keys).await?;
    if let Some(problem) = backend::cannot_give_users(&settings.redis).await {
        tracing::warn!("{problem}");
    }
    let listener = Listener::open(&settings.server.listen).await?;
    // Port 0 asks the system for a free one; what it chose is the address to print and to sign.
    let mut settings = settings;
    settings.server.listen = listener.address()?;
    let certificates = Certificates::load(&settings, clock.now())?.map(Arc::new);
    let demo = if with_demo {
        Some(demo::prepare(&db, &keys, &settings, clock.now()).await?)
    } else {
        None
    };
    let first_link = first_account::link(&settings, &db, &keys).await?;
    let app = App::new(settings, db, clock, keys, Arc::new(engine), cable)
        .with_demo(demo.as_ref().map(|site| site.demo.clone()))
        .with_certificates(certificates.clone());
    let places = Places::of_file(&app.state.settings.sign_on.places)?;
    app.state.places.go_by(places);
    let tls = certificates
        .as_ref()
        .map(Certificates::config)
        .transpose()?;
    let door = Door::new(listener, tls.map(Tls::new));
    signals::on_hangup({
        let state = app.state.clone();
        let certificates = certificates.clone();
        move || reload(&sources, &log, &state, certificates.as_deref())
    })?;
    // Whoever reads the greeting may send a signal at once.
    let asked_to_stop = signals::asked_to_stop();
    greet(
        &app.state.settings,
        first_link.as_deref(),
        demo.as_ref(),
        certificates.as_deref(),
    );
    signals::notify("READY=1");
    serve(app, door, certificates, asked_to_stop).await
}

async fn serve(
    app: App,
    door: Door,
    certificates: Option<Arc<Certificates>>,
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
                if let Some(certificates) = &certificates
                    && let Err(error) = certificates.keep_young(app.state.now())
                {
                    tracing::warn!(%error, "could not renew the certificate; trying again");
                }
            }
        }
    });
    let carrier = tokio::spawn(app.outbox.clone().work(app.state.clone()));
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
    if !listen::serve(door, app.router(), app.state.clone(), bounds, until).await {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    sweeper.abort();
    keeper.abort();
    carrier.abort();
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
    let routes = metrics::start(&app.state.events, app.cable.clone())?
        .merge(health::router(&app.state, &app.cable));
    tracing::info!(address = %listener.local_addr()?, "numbers are at /metrics");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(())
}

/// Takes up what can change while the program runs: the log's level, whom to believe where requests
/// came from, where addresses are, and the certificate. Everything else needs a restart.
fn reload(sources: &Overrides, log: &Filter, state: &State, certificates: Option<&Certificates>) {
    let taken = Settings::load(sources)
        .map_err(CommandError::from)
        .and_then(|settings| {
            // What may be wrong comes first, so that a mistake in one thing leaves the others as they are, too.
            let places = Places::of_file(&settings.sign_on.places)?;
            certificates.map_or(Ok(()), |certificates| certificates.renew(state.now()))?;
            log.set(&settings)?;
            state.places.go_by(places);
            state.trust(&settings.server.trusted_proxies);
            Ok(())
        });
    match taken {
        Ok(()) => tracing::warn!(
            "SIGHUP: log.level, server.trusted_proxies, sign_on.places and the certificate were read again"
        ),
        Err(error) => tracing::error!(%error, "SIGHUP: the settings stay as they are"),
    }
}

fn greet(
    settings: &Settings,
    first_link: Option<&str>,
    demo: Option<&DemoSite>,
    certificates: Option<&Certificates>,
) {
    let url = settings.public_url();
    say!(
        "Axiam is running at {url} (open it for what to do next; API contract: {url}/api/openapi.json)"
    );
    if let Some(authority) = certificates.and_then(Certificates::authority) {
        say!(
            "Its certificate is its own. Phones trust it once, as {} tells; they compare",
            trust::address(&url)
        );
        say!("SHA-256 {}", authority.fingerprint());
        say!(
            "Programs on this machine trust it with SSL_CERT_FILE={}",
            authority.public_file().display()
        );
    }
    if !settings.server.public_url.is_empty() {
        say!("It listens on {}", settings.server.listen);
    }
    if let Some(link) = first_link {
        say!("Nobody owns it yet. Set up the dashboard, by this link alone: {link}");
    }
    if let Some(demo) = demo {
        say!("The demo site is at {url}/demo");
        say_on!("{}", demo.first_sign_on());
    }
}
