//! The log of `axiam serve`, on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, reload};

use super::CommandError;
use crate::platform::config::{LogFormat, Settings};

/// Libraries whose own logs would hold what they carry, so they are kept from it whatever the
/// setting says.
const QUIET: [&str; 3] = ["tungstenite=info", "tokio_tungstenite=info", "sqlx=info"];

/// What is written, which can be changed.
pub(super) struct Filter(Box<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>);

impl Filter {
    /// Goes by these settings from now on.
    ///
    /// # Errors
    /// When `log.level` is none.
    pub(super) fn set(&self, settings: &Settings) -> Result<(), CommandError> {
        Ok((self.0)(filter(settings)?)?)
    }
}

/// Starts the log. A full disk or a pipe that nobody reads costs lines, and nothing else.
///
/// # Errors
/// When `log.level` is none, or there is a log already.
pub(super) fn start(settings: &Settings) -> Result<Filter, CommandError> {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(settings)?)
        .with_ansi(stderr().is_terminal())
        .log_internal_errors(false)
        .with_writer(stderr);
    let failed = |error| format!("cannot start the log: {error}");
    let filter: Box<dyn Fn(EnvFilter) -> _ + Send + Sync> = match settings.log.format {
        LogFormat::Text => {
            let log = log.with_target(false).with_filter_reloading();
            let handle = log.reload_handle();
            log.try_init().map_err(failed)?;
            Box::new(move |filter: EnvFilter| handle.reload(filter))
        }
        LogFormat::Json => {
            let log = log.json().with_filter_reloading();
            let handle = log.reload_handle();
            log.try_init().map_err(failed)?;
            Box::new(move |filter: EnvFilter| handle.reload(filter))
        }
    };
    Ok(Filter(filter))
}

fn filter(settings: &Settings) -> Result<EnvFilter, CommandError> {
    let filter =
        EnvFilter::try_new(&settings.log.level).map_err(|error| format!("log.level: {error}"))?;
    Ok(QUIET.iter().try_fold(filter, |filter, quiet| {
        quiet
            .parse()
            .map(|directive| filter.add_directive(directive))
    })?)
}
