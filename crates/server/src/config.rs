//! Settings: command-line flags, then `AXIAM_*`, then a file, then the commented `axiam.toml`.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use config::{Config, File, FileFormat};
use ipnet::IpNet;
use serde::Deserialize;
use thiserror::Error;
use url::Url;

/// The repository's `axiam.toml`: every setting, its default, and what it is for.
pub const DEFAULTS: &str = include_str!("../../../axiam.toml");

/// Everything an operator can set, assembled once at start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folder of the embedded database, the master key and the demo site's keys.
    pub data_dir: PathBuf,
    /// Where and as what the program listens.
    pub server: Server,
    /// The database.
    pub database: Database,
    /// What servers share besides the database.
    pub redis: Redis,
    /// The master key.
    pub keys: Keys,
    /// The face pack and its workers.
    pub face: Face,
    /// Lives of a sign-on's parts.
    pub sign_on: SignOn,
    /// Pairing and consent.
    pub enrolment: Enrolment,
    /// Paired phones.
    pub device: Device,
    /// Tokens of sites and widgets.
    pub token: Token,
    /// Requests a window.
    pub limits: Limits,
    /// Failures before a client is locked.
    pub lock: Lock,
    /// The log.
    pub log: Log,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// The address browsers and phones use; empty: derived from `listen`.
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Bytes of uploads held in memory at once.
    pub upload_memory: u32,
}

/// `[database]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Where it is; empty: SQLite in the data folder.
    pub url: String,
    /// Most connections of this process.
    pub max_connections: u32,
}

/// `[redis]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// Where it is; empty: none.
    pub url: String,
    /// Begins the names of all keys.
    pub prefix: String,
}

/// `[keys]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// File of the master key; empty: in the data folder.
    pub master: PathBuf,
}

/// `[face]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Face {
    /// Folder of the pack; empty: looked for.
    pub pack: PathBuf,
    /// Photos looked at side by side; 0: one a core.
    pub workers: usize,
    /// Photos that may wait.
    pub queue: usize,
}

/// `[sign_on]`, seconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignOn {
    /// Life of a verification token.
    pub lifetime: u32,
    /// Life of a client session token.
    pub session_lifetime: u32,
    /// Life of a challenge.
    pub challenge_lifetime: u32,
    /// How long a report freezes its origin.
    pub freeze: u32,
}

/// `[enrolment]`
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

/// `[device]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Life of a phone's token, seconds.
    pub token_lifetime: u32,
}

/// `[token]`, seconds.
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
    /// `application_auth`, by address.
    pub auth_per_ip: u32,
    /// Faces sent for enrolment, by phone.
    pub enrol_per_device: u32,
}

/// `[lock]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Failures in a row from which each one locks for a while.
    pub temporary_after: i32,
    /// That while, seconds.
    pub temporary_for: u32,
    /// Failures in a row that lock until an owner unlocks.
    pub permanent_after: i32,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Level or filter.
    pub level: String,
    /// How lines are written.
    pub format: LogFormat,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line, for collectors.
    Json,
}

/// Why the settings cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A value or a key is wrong; the text names it.
    #[error("{0}")]
    Invalid(#[from] config::ConfigError),
    /// A setting cannot be what it is.
    #[error("{key}: {reason}")]
    Setting {
        /// Path of the setting.
        key: &'static str,
        /// What to do.
        reason: String,
    },
}

/// What the command line and the environment say over the file.
#[derive(Debug, Default, Clone)]
pub struct Overrides {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<String>,
    /// The environment, as `(name, value)`.
    pub environment: Vec<(String, String)>,
}

impl Overrides {
    /// Takes the `AXIAM_*` variables of this process.
    #[must_use]
    pub fn with_environment(mut self) -> Self {
        self.environment = std::env::vars()
            .filter(|(name, _)| name.starts_with("AXIAM_"))
            .collect();
        self
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Settings {
    /// Reads every source, in order of precedence.
    ///
    /// # Errors
    /// An unknown key, a value of the wrong type, or a file that cannot be read; the text names it.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        let defaults = Config::builder()
            .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
            .build()?;
        let mut builder = Config::builder().add_source(defaults.clone());
        if let Some(file) = settings_file(overrides) {
            builder = builder.add_source(File::from(file).format(FileFormat::Toml));
        }
        for leaf in leaves(&defaults)? {
            if let Some(value) = overrides.variable(&variable_name(&leaf.path)) {
                builder = if leaf.is_list {
                    let items: Vec<&str> = value.split(',').filter(|i| !i.is_empty()).collect();
                    builder.set_override(leaf.path, items)?
                } else {
                    builder.set_override(leaf.path, value)?
                };
            }
        }
        if let Some(data_dir) = &overrides.data_dir {
            builder = builder.set_override("data_dir", data_dir.display().to_string())?;
        }
        if let Some(listen) = &overrides.listen {
            builder = builder.set_override("server.listen", listen.as_str())?;
        }
        let settings: Self = builder.build()?.try_deserialize()?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !self.server.public_url.is_empty() {
            let url = Url::parse(&self.server.public_url).ok();
            if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
                return Err(ConfigError::Setting {
                    key: "server.public_url",
                    reason: "give an http:// or https:// address, or leave it empty".into(),
                });
            }
        }
        if !self.database.url.is_empty()
            && !["postgres://", "postgresql://", "sqlite:"]
                .iter()
                .any(|scheme| self.database.url.starts_with(scheme))
        {
            return Err(ConfigError::Setting {
                key: "database.url",
                reason: "give a postgres:// or sqlite: address, or leave it empty".into(),
            });
        }
        if !self.redis.url.is_empty() && !self.redis.url.starts_with("redis://") {
            return Err(ConfigError::Setting {
                key: "redis.url",
                reason: "give a redis:// address, or leave it empty".into(),
            });
        }
        Ok(())
    }

    /// The database to use: the one set, else a file in the data folder.
    #[must_use]
    pub fn database_url(&self) -> String {
        if self.database.url.is_empty() {
            format!("sqlite://{}", self.data_dir.join("axiam.db").display())
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
        if self.server.public_url.is_empty() {
            format!("http://{}", self.server.listen)
        } else {
            self.server.public_url.trim_end_matches('/').to_owned()
        }
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

fn settings_file(overrides: &Overrides) -> Option<PathBuf> {
    if let Some(file) = &overrides.file {
        return Some(file.clone());
    }
    if let Some(file) = overrides.variable("AXIAM_CONFIG") {
        return Some(PathBuf::from(file));
    }
    let data_dir = overrides
        .data_dir
        .clone()
        .or_else(|| overrides.variable("AXIAM_DATA_DIR").map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("./data"));
    Some(data_dir.join("axiam.toml")).filter(|file| file.exists())
}

struct Leaf {
    path: String,
    is_list: bool,
}

/// Every setting's path, read off the defaults themselves.
fn leaves(defaults: &Config) -> Result<Vec<Leaf>, ConfigError> {
    fn walk(prefix: &str, table: config::Map<String, config::Value>, found: &mut Vec<Leaf>) {
        for (key, value) in table {
            let path = if prefix.is_empty() {
                key
            } else {
                format!("{prefix}.{key}")
            };
            let is_list = matches!(value.kind, config::ValueKind::Array(_));
            match value.kind {
                config::ValueKind::Table(inner) => walk(&path, inner, found),
                _ => found.push(Leaf { path, is_list }),
            }
        }
    }
    let mut found = Vec::new();
    walk("", defaults.clone().try_deserialize()?, &mut found);
    Ok(found)
}

fn variable_name(path: &str) -> String {
    format!("AXIAM_{}", path.replace('.', "_").to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(environment: &[(&str, &str)]) -> Overrides {
        Overrides {
            environment: environment
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            ..Overrides::default()
        }
    }

    fn file(text: &str) -> (tempfile::NamedTempFile, Overrides) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let overrides = Overrides {
            file: Some(file.path().to_owned()),
            ..Overrides::default()
        };
        (file, overrides)
    }

    #[test]
    fn the_commented_file_is_the_defaults() {
        let settings = Settings::load(&Overrides::default()).unwrap();
        assert_eq!(settings.server.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(settings.public_url(), "http://127.0.0.1:3000");
        assert_eq!(settings.database_url(), "sqlite://./data/axiam.db");
    }

    #[test]
    fn every_setting_has_a_comment() {
        let mut commented = false;
        for line in DEFAULTS.lines() {
            if line.starts_with('#') {
                commented = true;
            } else if line.is_empty() || line.starts_with('[') {
                commented = false;
            } else {
                let family = line.contains("_per_")
                    || line.starts_with("consent_")
                    || line.starts_with("permanent_")
                    || line.starts_with("temporary_");
                assert!(commented || family, "no comment for {line}");
            }
        }
    }

    #[test]
    fn flags_beat_the_environment_which_beats_the_file() {
        let (_file, mut overrides) =
            file("[server]\nlisten = \"127.0.0.1:1\"\n[log]\nlevel = \"warn\"");
        overrides.environment = with(&[
            ("AXIAM_SERVER_LISTEN", "127.0.0.1:2"),
            ("AXIAM_SIGN_ON_LIFETIME", "60"),
            ("AXIAM_SERVER_TRUSTED_PROXIES", "10.0.0.0/8,127.0.0.1/32"),
        ])
        .environment;
        let settings = Settings::load(&overrides).unwrap();
        assert_eq!(settings.server.listen.port(), 2);
        assert_eq!(settings.log.level, "warn");
        assert_eq!(settings.sign_on.lifetime, 60);
        assert_eq!(settings.server.trusted_proxies.len(), 2);
        overrides.listen = Some("127.0.0.1:3".into());
        assert_eq!(Settings::load(&overrides).unwrap().server.listen.port(), 3);
    }

    #[test]
    fn an_unknown_key_is_named() {
        let (_file, overrides) = file("[server]\nlisten_on = \"127.0.0.1:1\"");
        let error = Settings::load(&overrides).unwrap_err().to_string();
        assert!(error.contains("listen_on"), "{error}");
        let (_file, overrides) = file("[serverr]\nlisten = \"127.0.0.1:1\"");
        let error = Settings::load(&overrides).unwrap_err().to_string();
        assert!(error.contains("serverr"), "{error}");
    }

    #[test]
    fn a_wrong_value_is_named() {
        let error = Settings::load(&with(&[("AXIAM_SIGN_ON_LIFETIME", "soon")])).unwrap_err();
        assert!(error.to_string().contains("sign_on.lifetime"), "{error}");
        let error = Settings::load(&with(&[("AXIAM_SERVER_PUBLIC_URL", "example")])).unwrap_err();
        assert!(error.to_string().contains("server.public_url"), "{error}");
        for (variable, key) in [
            ("AXIAM_DATABASE_URL", "database.url"),
            ("AXIAM_REDIS_URL", "redis.url"),
        ] {
            let error = Settings::load(&with(&[(variable, "mysql://x")])).unwrap_err();
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}
