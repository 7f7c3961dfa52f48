//! Where settings come from, and which source wins.

use std::{net::SocketAddr, path::PathBuf};

use config::{Config, File, FileFormat};
use thiserror::Error;
use url::Url;

use super::{DEFAULTS, Listen, Settings, TlsMode};
/// Where `--tls` listens unless another address is set: where phones of the same network get.
const TLS_LISTEN: &str = "server.listen = \"0.0.0.0:3443\"";

/// Why the settings cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A value or a key is wrong; the text names it.
    #[error("{0}")]
    Invalid(#[from] config::ConfigError),
    /// A variable of the environment names no setting.
    #[error(
        "{0}: there is no such setting. The variable of a setting is its path in capitals: \
         server.listen is AXIAM_SERVER_LISTEN (see axiam.toml)"
    )]
    Variable(String),
    /// A setting cannot be what it is.
    #[error("{key}: {reason}")]
    Setting {
        /// Path of the setting.
        key: &'static str,
        /// What is wrong, and what to do about it.
        reason: String,
    },
}

/// What the command line and the environment say over the file.
#[derive(Debug, Default, Clone)]
pub struct Overrides {
    /// The file that `--config` names.
    pub file: Option<PathBuf>,
    /// The folder that `--data-dir` names.
    pub data_dir: Option<PathBuf>,
    /// The address that `--listen` names.
    pub listen: Option<String>,
    /// `--tls`: TLS with a certificate of its own, in this machine's network unless told otherwise.
    pub tls: bool,
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

    /// A variable that names no setting is a mistake like an unknown key: it would be thought to
    /// have been set.
    fn refuse_unknown(&self, leaves: &[Leaf]) -> Result<(), ConfigError> {
        let known = |name: &str| {
            name == "AXIAM_CONFIG"
                || name.starts_with("AXIAM_TEST_")
                || leaves.iter().any(|leaf| variable_name(&leaf.path) == name)
        };
        match self.environment.iter().find(|(name, _)| !known(name)) {
            Some((name, _)) => Err(ConfigError::Variable(name.clone())),
            None => Ok(()),
        }
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
        if overrides.tls {
            // Phones are elsewhere; whoever sets another address means it.
            builder = builder.add_source(File::from_str(TLS_LISTEN, FileFormat::Toml));
        }
        if let Some(file) = settings_file(overrides) {
            builder = builder.add_source(File::from(file).format(FileFormat::Toml));
        }
        let leaves = leaves(&defaults)?;
        overrides.refuse_unknown(&leaves)?;
        for leaf in leaves {
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
        if overrides.tls {
            builder = builder.set_override("tls.mode", "own")?;
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
        } else if matches!(self.server.listen, Listen::Unix(_)) {
            return Err(ConfigError::Setting {
                key: "server.public_url",
                reason: "where server.listen is a Unix socket, give the address that browsers and \
                         phones use"
                    .into(),
            });
        }
        self.check_tls()?;
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
        if self.database.url.starts_with("postgres")
            && let Err(error) = Url::parse(&self.database.url)
        {
            return Err(ConfigError::Setting {
                key: "database.url",
                reason: format!(
                    "is no address ({error}); in a password write %2F for /, %23 for #, %3F for ?, %40 \
                     for @ and %25 for %"
                ),
            });
        }
        if !self.metrics.listen.is_empty() && self.metrics.listen.parse::<SocketAddr>().is_err() {
            return Err(ConfigError::Setting {
                key: "metrics.listen",
                reason: "give an address and port such as 127.0.0.1:9100, or leave it empty".into(),
            });
        }
        if !(1..=30).contains(&self.outgoing.timeout) {
            return Err(ConfigError::Setting {
                key: "outgoing.timeout",
                reason: "must be from 1 to 30 seconds".into(),
            });
        }
        if let Some((key, reason)) = self.mail.wrong().or_else(|| self.push.wrong()) {
            let reason = reason.to_owned();
            return Err(ConfigError::Setting { key, reason });
        }
        if let Some(error) = self.redis.unusable() {
            return Err(ConfigError::Setting {
                key: "redis.url",
                reason: format!("{error}, or leave it empty"),
            });
        }
        Ok(())
    }
}

impl Settings {
    fn check_tls(&self) -> Result<(), ConfigError> {
        let wrong = |key, reason: &str| {
            let reason = reason.to_owned();
            Err(ConfigError::Setting { key, reason })
        };
        let tls = &self.tls;
        if tls.mode == TlsMode::Off {
            return Ok(());
        }
        if matches!(self.server.listen, Listen::Unix(_)) {
            return wrong(
                "tls.mode",
                "a Unix socket is for a proxy, which does TLS itself: set it to \"off\"",
            );
        }
        if self.server.public_url.starts_with("http:") {
            return wrong(
                "server.public_url",
                "with tls.mode on, give the https:// address, or leave it empty",
            );
        }
        if tls.mode == TlsMode::Files {
            for (key, file) in [("tls.certificate", &tls.certificate), ("tls.key", &tls.key)] {
                if file.as_os_str().is_empty() {
                    return wrong(key, "name the PEM file, or set tls.mode to \"own\"");
                }
            }
        }
        Ok(())
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
                    || line.starts_with("temporary_")
                    || line.starts_with("key =");
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
            ("AXIAM_SERVER_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1,::1"),
        ])
        .environment;
        let settings = Settings::load(&overrides).unwrap();
        assert_eq!(settings.server.listen.to_string(), "127.0.0.1:2");
        assert_eq!(settings.log.level, "warn");
        assert_eq!(settings.sign_on.lifetime, 60);
        let proxies = &settings.server.trusted_proxies;
        let texts: Vec<String> = proxies.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["10.0.0.0/8", "127.0.0.1/32", "::1/128"]);
        overrides.listen = Some("127.0.0.1:3".into());
        let settings = Settings::load(&overrides).unwrap();
        assert_eq!(settings.server.listen.to_string(), "127.0.0.1:3");
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
    fn an_unknown_variable_is_named() {
        let error = Settings::load(&with(&[("AXIAM_LISTEN", "127.0.0.1:1")])).unwrap_err();
        assert!(
            error.to_string().contains("AXIAM_LISTEN: there is no such"),
            "{error}"
        );
        for name in ["AXIAM_CONFIG", "AXIAM_TEST_REDIS_URL"] {
            let told = Settings::load(&with(&[(name, "/nowhere.toml")])).map_err(|e| e.to_string());
            assert!(
                !told.is_err_and(|told| told.contains("no such setting")),
                "{name}"
            );
        }
    }

    #[test]
    fn a_wrong_value_is_named() {
        let error = Settings::load(&with(&[("AXIAM_SIGN_ON_LIFETIME", "soon")])).unwrap_err();
        assert!(error.to_string().contains("sign_on.lifetime"), "{error}");
        let error = Settings::load(&with(&[("AXIAM_SERVER_PUBLIC_URL", "example")])).unwrap_err();
        assert!(error.to_string().contains("server.public_url"), "{error}");
        for (variable, key) in [
            ("AXIAM_SERVER_LISTEN", "server.listen"),
            ("AXIAM_DATABASE_URL", "database.url"),
            ("AXIAM_REDIS_URL", "redis.url"),
            ("AXIAM_METRICS_LISTEN", "metrics.listen"),
            ("AXIAM_SERVER_TRUSTED_PROXIES", "server.trusted_proxies"),
        ] {
            let error = Settings::load(&with(&[(variable, "mysql://x")])).unwrap_err();
            assert!(error.to_string().contains(key), "{error}");
        }
    }

    #[test]
    fn a_password_that_ends_an_address_is_told_how_to_be_written_and_not_shown() {
        for password in ["s3/cret", "s3#cret", "s3?cret"] {
            let url = format!("postgres://ann:{password}@h/axiam");
            let told = Settings::load(&with(&[("AXIAM_DATABASE_URL", &url)])).unwrap_err();
            let told = told.to_string();
            assert!(
                told.contains("%23 for #") && !told.contains("cret"),
                "{told}"
            );
        }
        let url = "postgres://ann:s3%2Fcr%23et@h/axiam";
        assert!(Settings::load(&with(&[("AXIAM_DATABASE_URL", url)])).is_ok());
    }

    #[test]
    fn behind_a_unix_socket_the_public_address_must_be_said() {
        let socket = ("AXIAM_SERVER_LISTEN", "unix:/run/axiam.sock");
        let error = Settings::load(&with(&[socket])).unwrap_err().to_string();
        assert!(error.contains("server.public_url"), "{error}");
        let public = ("AXIAM_SERVER_PUBLIC_URL", "https://signin.example.com");
        assert!(Settings::load(&with(&[socket, public])).is_ok());
    }
}
