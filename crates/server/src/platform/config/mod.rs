//! Settings: command-line flags, then `AXIAM_*`, then a file, then the commented `axiam.toml`.

mod accounts;
mod listen;
mod mail;
mod push;
mod redis;
mod sources;
mod tls;

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error as _};
use url::Url;

pub use self::{
    accounts::{Accounts, SecondFactor, SignUp},
    listen::{Listen, NoListen},
    mail::{Mail, Mailing, is_this_machine},
    push::Push,
    redis::Redis,
    sources::{ConfigError, Overrides},
    tls::{Tls, TlsMode},
};

/// The repository's `axiam.toml`: every setting, its default, and what it is for.
pub const DEFAULTS: &str = include_str!("../../../../../axiam.toml");

/// Everything an operator can set, assembled once at start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folder of the embedded database, the master key and the demo site's keys.
    pub data_dir: PathBuf,
    /// Where and as what the program listens.
    pub server: Server,
    /// The certificate that is shown, where this program does TLS itself.
    pub tls: Tls,
    /// Where rows are kept: SQLite or PostgreSQL.
    pub database: Database,
    /// What servers share besides the database.
    pub redis: Redis,
    /// The WebSockets of pages and phones.
    pub cable: Cable,
    /// Where the master key comes from.
    pub keys: Keys,
    /// The face pack and its workers.
    pub face: Face,
    /// Lives of a sign-on's parts.
    pub sign_on: SignOn,
    /// How pairing goes, and what the person agrees to.
    pub enrolment: Enrolment,
    /// How long a phone stays paired.
    pub device: Device,
    /// Tokens of sites and widgets.
    pub token: Token,
    /// Requests to addresses that others chose.
    pub outgoing: Outgoing,
    /// Which server letters leave by.
    pub mail: Mail,
    /// Who may have an account of the dashboard.
    pub accounts: Accounts,
    /// How phones are woken.
    pub push: Push,
    /// Browsers' sessions with the pages.
    pub session: Session,
    /// How many requests of each kind a window admits.
    pub limits: Limits,
    /// Failures before a client is locked.
    pub lock: Lock,
    /// How long what is over is kept.
    pub retention: Retention,
    /// What the log says, and in which form.
    pub log: Log,
    /// Whether and where Prometheus finds its numbers.
    pub metrics: Metrics,
    /// Where others in the network reach this machine, when it listens everywhere with a certificate
    /// of its own (`platform::tls::find_address`).
    #[serde(skip)]
    pub lan_address: Option<IpAddr>,
}

/// The table `[server]`: address, proxies and connections.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port, or the Unix socket, to listen on.
    pub listen: Listen,
    /// The address browsers and phones use; empty: derived from `listen`.
    pub public_url: String,
    /// Proxies that are believed where a request came from.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Bytes of uploads held in memory at once.
    pub upload_memory: u32,
    /// Most connections at a time.
    pub connections: usize,
    /// Seconds to send a request's head.
    pub head_timeout: u32,
}

/// Networks, of which a bare address is one.
fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let read = |text: String| {
        let text = text.trim();
        let bare = text.parse::<IpAddr>().map(IpNet::from).ok();
        bare.or_else(|| text.parse().ok()).ok_or_else(|| {
            D::Error::custom(format!(
                "{text:?} is neither an address nor a network such as 10.0.0.0/8"
            ))
        })
    };
    Vec::<String>::deserialize(from)?
        .into_iter()
        .map(read)
        .collect()
}

/// The table `[database]`: address and pool.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Where it is; empty: SQLite in the data folder.
    pub url: String,
    /// Most connections of this process.
    pub max_connections: u32,
}

/// The table `[cable]`: connections and how they end.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cable {
    /// Over how many seconds pages are sent away when the server stops.
    pub drain: u32,
    /// Most connections from one address.
    pub connections_per_ip: usize,
}

/// The table `[keys]`: the master key's file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// File of the master key; empty: in the data folder.
    pub master: PathBuf,
}

/// The table `[face]`: pack, workers and limits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Face {
    /// Folder of the pack; empty: looked for.
    pub pack: PathBuf,
    /// Photos looked at side by side; 0: one a core.
    pub workers: usize,
    /// Photos that may wait.
    pub queue: usize,
    /// Most bytes that decoding one photo may take.
    pub photo_memory: u32,
    /// Least time between two references taken from a client's scans, seconds.
    pub adapt_every: u32,
}

/// The table `[sign_on]`: how long its parts live, in seconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignOn {
    /// Life of a verification token.
    pub lifetime: u32,
    /// Life of a client session token.
    pub session_lifetime: u32,
    /// Life of a challenge.
    pub challenge_lifetime: u32,
    /// How many pushes to one client may come to nothing before the next must wait.
    pub pushes_before_pause: u32,
    /// How long a report freezes its origin.
    pub freeze: u32,
    /// File of networks and their places; empty: no place is shown.
    pub places: PathBuf,
}

/// The table `[enrolment]`: codes and consent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// Life of a QR code, seconds.
    pub lifetime: u32,
    /// Version of the consent text.
    pub consent_version: String,
    /// What a person agrees to.
    pub consent_text: String,
    /// Whether a face may be enrolled only with consent.
    pub consent_required: bool,
}

/// The table `[device]`: how long a pairing is remembered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Life of a phone's token, seconds.
    pub token_lifetime: u32,
}

/// The table `[token]`: how long each kind of token lives, in seconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Life of a site's token, and the longest a site may ask for.
    pub site_lifetime: u32,
    /// Life of a widget's token.
    pub widget_lifetime: u32,
    /// The longest a site may ask for.
    pub widget_longest: u32,
}

/// The table `[outgoing]`: requests to webhooks and push services.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outgoing {
    /// Networks that may be reached although they are not on the Internet, in plain text too.
    #[serde(deserialize_with = "networks")]
    pub allow: Vec<IpNet>,
    /// Seconds that an answer may take.
    pub timeout: u32,
}

/// The table `[session]`: how long a browser's session lives, in seconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Life of a session that is not used.
    pub idle: u32,
    /// The longest life of one in use.
    pub longest: u32,
}

/// `[limits]`: requests in each window.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Length of the window, seconds.
    pub window: u32,
    /// Pushes by the person's address.
    pub push_per_ip: u32,
    /// Pushes to one client.
    pub push_per_client: u32,
    /// Scans by the phone's address.
    pub verify_per_ip: u32,
    /// Scans for one sign-on.
    pub verify_per_sign_on: u32,
    /// Every other limited route, by address.
    pub other_per_ip: u32,
    /// Failed `application_auth` by the caller's address.
    pub auth_per_ip: u32,
    /// Passwords for the dashboard, by address.
    pub sign_in_per_ip: u32,
    /// Passwords for one account of the dashboard.
    pub sign_in_per_account: u32,
    /// Letters asked for at the dashboard's door, by address of the network.
    pub mail_per_ip: u32,
    /// Letters to one e-mail address.
    pub mail_per_address: u32,
    /// Faces sent for enrolment, by phone.
    pub enrol_per_device: u32,
    /// Subscriptions asked for over the cable, by address, on each server.
    pub subscribe_per_ip: u32,
    /// Sites that an account may own which does not run the installation.
    pub apps_per_account: u32,
}

/// The table `[lock]`: what failed tries lead to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Failures in a row from which each one locks for a while.
    pub temporary_after: i32,
    /// How long a temporary lock holds, in seconds.
    pub temporary_for: u32,
    /// Failures in a row that lock until an owner unlocks.
    pub permanent_after: i32,
}

/// The table `[retention]`: how long what is over is kept, in seconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Sign-ons, from when they were asked for.
    pub sign_ons: u32,
    /// Lines of the audit log.
    pub audit: u32,
    /// Phones that were unpaired, or whose token has ended.
    pub devices: u32,
    /// Records of consent that was withdrawn, or given anew since.
    pub consents: u32,
    /// What was told to webhooks, or could not be.
    pub outbox: u32,
}

/// The table `[log]`: level and form.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// A level (`info`) or a filter by module (`axiam=debug`).
    pub level: String,
    /// How lines are written.
    pub format: LogFormat,
}

/// The table `[metrics]`: whether and where they are served.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Address and port of `/metrics`; empty: nowhere.
    pub listen: String,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people to read.
    Text,
    /// One object a line, for collectors.
    Json,
}

fn is_loopback(host: &url::Host<&str>) -> bool {
    match host {
        url::Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        url::Host::Ipv4(ip) => ip.is_loopback(),
        url::Host::Ipv6(ip) => IpAddr::V6(*ip).to_canonical().is_loopback(),
    }
}

impl Settings {
    /// The database to use: the one set, else a file in the data folder.
    #[must_use]
    pub fn database_url(&self) -> String {
        if self.database.url.is_empty() {
            // It is read as an address, in which these two mean something.
            let file = self.data_dir.join("axiam.db").display().to_string();
            format!("sqlite://{}", file.replace('%', "%25").replace('?', "%3F"))
        } else {
            self.database.url.clone()
        }
    }

    /// The master key's file.
    #[must_use]
    pub fn master_key_file(&self) -> PathBuf {
        if self.keys.master.as_os_str().is_empty() {
            self.data_dir.join("master.key")
        } else {
            self.keys.master.clone()
        }
    }

    /// The address that browsers and phones use, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> String {
        if !self.server.public_url.is_empty() {
            return self.server.public_url.trim_end_matches('/').to_owned();
        }
        let scheme = if self.tls.mode == TlsMode::Off {
            "http"
        } else {
            "https"
        };
        match (&self.server.listen, self.lan_address) {
            (Listen::Network { port, .. }, Some(ip)) => {
                format!("{scheme}://{}", SocketAddr::new(ip, *port))
            }
            (listen, _) => format!("{scheme}://{listen}"),
        }
    }

    /// Whether browsers and phones are told to reach this server in plain text from beyond this machine.
    #[must_use]
    pub fn is_plain_text(&self) -> bool {
        Url::parse(&self.server.public_url).is_ok_and(|url| {
            url.scheme() == "http" && !url.host().is_some_and(|host| is_loopback(&host))
        })
    }

    /// Whether `host`, as a request names it, is this machine at the port that is listened on. While no public
    /// address is set it is known under those names too.
    #[must_use]
    pub fn is_here(&self, host: &str) -> bool {
        let port = |url: &Url| url.port_or_known_default();
        let ours = Url::parse(&self.public_url());
        self.server.public_url.is_empty()
            && (self.server.listen.is_local() || self.server.listen.is_everywhere())
            && Url::parse(&format!("http://{host}")).is_ok_and(|url| {
                url.host().is_some_and(|host| is_loopback(&host))
                    && ours.is_ok_and(|ours| port(&ours) == port(&url))
            })
    }

    /// Whether browsers reach this server over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url().starts_with("https://")
    }

    /// Folders in which the face pack may be, the first that exists wins.
    #[must_use]
    pub fn pack_candidates(&self) -> Vec<PathBuf> {
        if !self.face.pack.as_os_str().is_empty() {
            return vec![self.face.pack.clone()];
        }
        let built = Path::new("models/build/default");
        let mut candidates = vec![self.data_dir.join("pack"), built.to_owned()];
        if let Ok(program) = std::env::current_exe() {
            candidates.extend(program.ancestors().skip(1).map(|dir| dir.join(built)));
        }
        candidates
    }
}
