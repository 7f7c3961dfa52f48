//! What the phone remembers between two runs: its key and its pairing.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// The phone's file cannot be used.
#[derive(Debug, Error)]
#[error("{}: {reason}", file.display())]
pub struct FileError {
    file: PathBuf,
    reason: String,
}

/// A pairing: all that a phone must remember to go on after a restart.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pairing {
    /// Address of the server it is paired with.
    pub server: String,
    /// The phone's P-256 key, PKCS#8 in PEM.
    pub key: String,
    /// The device token, which counts only with a proof by that key.
    pub device_token: String,
    /// The device's id at the server.
    pub device_id: Uuid,
    /// The client whose phone it is.
    pub client_id: Uuid,
    /// Domain of the site it is paired for.
    pub domain: String,
    /// Version of the consent text that was shown.
    pub consent_version: String,
    /// The consent text that was shown.
    pub consent_text: String,
}

impl Pairing {
    /// Reads a phone's file.
    ///
    /// # Errors
    /// When there is none, or it is none.
    pub fn read(file: &Path) -> Result<Self, FileError> {
        let problem = |reason: String| FileError {
            file: file.to_owned(),
            reason,
        };
        if !file.exists() {
            return Err(problem(
                "no phone here yet; pair one with `axiam phone pair URL`".into(),
            ));
        }
        let text = fs::read_to_string(file).map_err(|error| problem(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| problem(format!("is no phone: {error}")))
    }

    /// Writes the phone's file, which only this user may read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), FileError> {
        let problem = |reason: String| FileError {
            file: file.to_owned(),
            reason,
        };
        let text = serde_json::to_string_pretty(self).map_err(|e| problem(e.to_string()))?;
        if let Some(folder) = file.parent() {
            make_private_folder(folder).map_err(|e| problem(e.to_string()))?;
        }
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(file)
            .and_then(|mut out| writeln!(out, "{text}"))
            .map_err(|error| problem(error.to_string()))
    }
}

fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    if folder.as_os_str().is_empty() || folder.exists() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder)
}
