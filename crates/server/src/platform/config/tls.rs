//! Whether this program speaks TLS itself, and whose certificate it shows.

use std::path::PathBuf;

use serde::Deserialize;

/// The table `[tls]`: whose certificate is shown.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Whether TLS is spoken, and who vouches for this server.
    pub mode: TlsMode,
    /// PEM file of the certificate and those between it and its authority.
    pub certificate: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
    /// Further private names and addresses for a certificate of its own.
    pub names: Vec<String>,
}

/// Who vouches for this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum TlsMode {
    /// Plain HTTP is spoken: on this machine alone, or behind a proxy that does TLS.
    Off,
    /// An authority of its own, in the data folder, for a private network.
    Own,
    /// Whoever made the files.
    Files,
}

impl TryFrom<String> for TlsMode {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "off" => Ok(Self::Off),
            "own" => Ok(Self::Own),
            "files" => Ok(Self::Files),
            _ => Err("give \"off\", \"own\" or \"files\""),
        }
    }
}
