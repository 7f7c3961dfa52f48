//! The installation's keys. The database holds them sealed under one master key, which lives in a
//! file that all servers of an installation share; a stolen database alone opens nothing.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Nonce, Payload},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use jsonwebtoken::{DecodingKey, EncodingKey};
use p256::{
    SecretKey, elliptic_curve::Generate as _, elliptic_curve::sec1::ToSec1Point,
    pkcs8::EncodePrivateKey,
};
use rand::RngExt as _;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter,
    entity::prelude::*,
};
use serde_json::{Value, json};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{clock::Moment, db};

/// Why the keys cannot be had.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The master key's file cannot be read or written.
    #[error("master key file {file}: {reason}")]
    File {
        /// Which file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The database's keys were sealed under another master key.
    #[error(
        "the master key does not open this database's keys: use the master.key file that this database was made with"
    )]
    OtherMaster,
    /// A key is not what it should be.
    #[error("key {0} is damaged")]
    Damaged(&'static str),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Something sealed did not open: another key, other associated data, or damage.
#[derive(Debug, Error)]
#[error("sealed data does not open")]
pub struct Unsealable;

/// Bytes of a nonce of AES-GCM.
const NONCE: usize = 12;

/// An AES-256-GCM key. Sealed bytes are the nonce followed by the ciphertext and its tag.
pub struct SealingKey(Aes256Gcm);

impl SealingKey {
    fn new(bytes: &[u8]) -> Option<Self> {
        Aes256Gcm::new_from_slice(bytes).ok().map(Self)
    }

    /// Seals `plain`; `about` must be the same when it is opened.
    ///
    /// # Errors
    /// Only for texts longer than AES-GCM can seal (64 GiB).
    pub fn seal(&self, about: &[u8], plain: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let nonce: [u8; NONCE] = rand::rng().random();
        let payload = Payload {
            msg: plain,
            aad: about,
        };
        let sealed = self
            .0
            .encrypt(&Nonce::<Aes256Gcm>::from(nonce), payload)
            .map_err(|_| Unsealable)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// When the key, `about` or a byte differs.
    pub fn open(&self, about: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or(Unsealable)?;
        let payload = Payload {
            msg: body,
            aad: about,
        };
        self.0
            .decrypt(&Nonce::<Aes256Gcm>::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| Unsealable)
    }
}

/// The ES256 pair that signs sites' tokens.
pub struct TokenKey {
    /// Names the key in tokens and in the published set.
    pub id: String,
    /// For signing.
    pub signing: EncodingKey,
    /// For checking.
    pub checking: DecodingKey,
    /// The public half (RFC 7517).
    pub jwk: Value,
}

/// Every key of the installation, open.
pub struct Keyring {
    /// Signs sites' tokens.
    pub tokens: TokenKey,
    /// Seals templates; the id is kept beside what it sealed.
    pub data: (Uuid, SealingKey),
    session: Zeroizing<Vec<u8>>,
}

impl Keyring {
    /// Opens the keys, making those that do not exist yet.
    ///
    /// # Errors
    /// When the master key is missing its file, is another one, or the database fails.
    pub async fn open(
        db: &DatabaseConnection,
        master_file: &Path,
        now: Moment,
    ) -> Result<Self, KeyError> {
        let master = master_key(master_file)?;
        let random = || Zeroizing::new(rand::rng().random::<[u8; 32]>().to_vec());
        let (token_id, token_der) = stored(db, &master, "site_tokens", now, new_token_key).await?;
        let (data_id, data) = stored(db, &master, "data", now, || Ok(random())).await?;
        let (_, session) = stored(db, &master, "session", now, || Ok(random())).await?;
        Ok(Self {
            tokens: token_key(token_id, &token_der)?,
            data: (
                data_id,
                SealingKey::new(&data).ok_or(KeyError::Damaged("data"))?,
            ),
            session,
        })
    }

    /// A secret bound to `subject`: the same each time, and unguessable without the key.
    #[must_use]
    pub fn derive_session_secret(&self, subject: Uuid) -> [u8; 32] {
        let mut output = [0; 32];
        // HMAC takes a key of any length, so this cannot fail.
        if let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.session) {
            mac.update(b"client session token");
            mac.update(subject.as_bytes());
            output.copy_from_slice(&mac.finalize().into_bytes());
        }
        output
    }
}

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(unique)]
        pub purpose: String,
        pub sealed: Vec<u8>,
        pub created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

async fn stored(
    db: &DatabaseConnection,
    master: &SealingKey,
    purpose: &'static str,
    now: Moment,
    make: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, KeyError>,
) -> Result<(Uuid, Zeroizing<Vec<u8>>), KeyError> {
    let find = || {
        row::Entity::find()
            .filter(row::Column::Purpose.eq(purpose))
            .one(db)
    };
    if find().await?.is_none() {
        let sealed = master
            .seal(purpose.as_bytes(), &make()?)
            .map_err(|_| KeyError::Damaged(purpose))?;
        let insert = row::Entity::insert(row::ActiveModel {
            id: Set(Uuid::new_v4()),
            purpose: Set(purpose.to_owned()),
            sealed: Set(sealed),
            created_at: Set(now),
        });
        match insert.exec_without_returning(db).await {
            // Another server that starts at the same moment was faster: its key is the one.
            Err(error) if !db::is_duplicate(&error) => return Err(error.into()),
            _ => {}
        }
    }
    let row = find().await?.ok_or(KeyError::Damaged(purpose))?;
    let plain = master
        .open(purpose.as_bytes(), &row.sealed)
        .map_err(|_| KeyError::OtherMaster)?;
    Ok((row.id, plain))
}

fn new_token_key() -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let der = SecretKey::generate()
        .to_pkcs8_der()
        .map_err(|_| KeyError::Damaged("site_tokens"))?;
    Ok(Zeroizing::new(der.as_bytes().to_vec()))
}

fn token_key(id: Uuid, der: &[u8]) -> Result<TokenKey, KeyError> {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use p256::pkcs8::DecodePrivateKey;
    let damaged = || KeyError::Damaged("site_tokens");
    let secret = SecretKey::from_pkcs8_der(der).map_err(|_| damaged())?;
    let point = secret.public_key().to_sec1_point(false);
    let (Some(x), Some(y)) = (point.x(), point.y()) else {
        return Err(damaged());
    };
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let id = id.simple().to_string();
    Ok(TokenKey {
        signing: EncodingKey::from_ec_der(der),
        checking: DecodingKey::from_ec_components(&x, &y).map_err(|_| damaged())?,
        jwk: json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig",
            "kid": id, "x": x, "y": y,
        }),
        id,
    })
}

fn master_key(file: &Path) -> Result<SealingKey, KeyError> {
    let problem = |reason: String| KeyError::File {
        file: file.display().to_string(),
        reason,
    };
    if !file.exists() {
        let bytes = Zeroizing::new(rand::rng().random::<[u8; 32]>());
        write_new(file, &STANDARD.encode(bytes.as_slice()))
            .map_err(|error| problem(error.to_string()))?;
    }
    let text = Zeroizing::new(fs::read_to_string(file).map_err(|e| problem(e.to_string()))?);
    let bytes = STANDARD
        .decode(text.trim())
        .map(Zeroizing::new)
        .map_err(|_| problem("is not base64".into()))?;
    SealingKey::new(&bytes).ok_or_else(|| problem("must hold 32 bytes in base64".into()))
}

/// Writes a file that only this user can read and that did not exist before; a second server that
/// starts at the same moment keeps the first one's.
fn write_new(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        db::make_private_folder(folder)?;
    }
    let folder = file.parent().filter(|f| !f.as_os_str().is_empty());
    let draft = folder
        .unwrap_or(Path::new("."))
        .join(format!(".{}", crate::secret::public_name("key-", 8)));
    let mut out = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    writeln!(out, "{text}")?;
    out.sync_all()?;
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_open_only_with_the_same_key_and_subject() {
        let key = SealingKey::new(&[7; 32]).unwrap();
        let sealed = key.seal(b"site a", b"template").unwrap();
        assert_eq!(
            key.open(b"site a", &sealed).unwrap().as_slice(),
            b"template"
        );
        assert!(key.open(b"site b", &sealed).is_err());
        assert!(
            SealingKey::new(&[8; 32])
                .unwrap()
                .open(b"site a", &sealed)
                .is_err()
        );
        for cut in 0..sealed.len() {
            assert!(key.open(b"site a", &sealed[..cut]).is_err());
        }
    }

    #[test]
    fn the_master_key_is_made_once_and_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("inner/master.key");
        let first = master_key(&file).unwrap();
        let sealed = first.seal(b"", b"x").unwrap();
        assert!(master_key(&file).unwrap().open(b"", &sealed).is_ok());
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&file, "nonsense").unwrap();
        assert!(matches!(master_key(&file), Err(KeyError::File { .. })));
    }
}
