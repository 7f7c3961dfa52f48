//! What this phone sent before. A server that asks for life takes no frame twice, so it remembers its own.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::cli::CommandError;

/// Largest file that is read: more photos than a server remembers of a client.
const LARGEST: u64 = 4_000_000;

/// The photos that were sent, by their digests: a line each in a file beside the phone's own.
#[derive(Clone)]
pub(super) struct Sent {
    file: PathBuf,
    digests: BTreeSet<String>,
}

impl Sent {
    /// By the phone of this file.
    pub(super) fn by(phone: &Path) -> Result<Self, CommandError> {
        let mut file = OsString::from(phone);
        file.push(".sent");
        let file = PathBuf::from(file);
        let text = if file.exists() {
            recording::read(&file, LARGEST)?
        } else {
            Vec::new()
        };
        let text = String::from_utf8_lossy(&text);
        let digests = text.lines().map(str::to_owned).collect();
        Ok(Self { file, digests })
    }

    /// The same without what was sent, for a server that takes it again.
    pub(super) fn forgotten(&self) -> Self {
        Self {
            file: self.file.clone(),
            digests: BTreeSet::new(),
        }
    }

    /// Whether these very bytes were sent.
    pub(super) fn has(&self, photo: &[u8]) -> bool {
        self.digests.contains(&hex::encode(Sha256::digest(photo)))
    }

    /// Remembers more, for the commands to come. Where that fails it is said: the answer was given all the same.
    pub(super) fn remember(&self, digests: &[[u8; 32]]) {
        let lines: String = digests.iter().map(|one| hex::encode(one) + "\n").collect();
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        let file = options.open(&self.file);
        if let Err(error) = file.and_then(|mut file| file.write_all(lines.as_bytes())) {
            note!("{}: {error}", self.file.display());
        }
    }
}
