//! Where addresses are, by a database of networks that the operator provides: a file in MaxMind's format with cities or
//! countries as in GeoIP2 (GeoLite2, DB-IP Lite and others).

#[cfg(test)]
mod hostile;

use std::{
    borrow::Cow,
    fs, io,
    net::IpAddr,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use serde::Deserialize;
use thiserror::Error;

use super::clock::Moment;

type Database = Reader<Vec<u8>>;

/// Names the places of addresses; without a database, none.
#[derive(Default)]
pub struct Places(RwLock<Option<Arc<Database>>>);

/// Why a file names no places.
#[derive(Debug, Error)]
#[error("sign_on.places: {file}: {problem}")]
pub struct PlacesError {
    file: String,
    problem: String,
}

/// What of a network is shown; its other fields are passed over.
#[derive(Deserialize)]
struct Located<'a> {
    #[serde(borrow, default)]
    city: Named<'a>,
    #[serde(borrow, default)]
    country: Named<'a>,
}

#[derive(Default, Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    names: Names<'a>,
}

#[derive(Default, Deserialize)]
struct Names<'a> {
    #[serde(borrow)]
    en: Option<Cow<'a, str>>,
}

impl Located<'_> {
    fn words(self) -> String {
        let names = [self.city.names.en, self.country.names.en];
        let names = names.into_iter().flatten();
        let names: Vec<_> = names.map(shown).filter(|name| !name.is_empty()).collect();
        names.join(", ")
    }
}

/// Most characters of a name that are shown. The longest of a place on earth has 85.
const NAME: usize = 100;

/// What may be shown of a text in a file: it stands in lists, logs and letters.
fn shown(text: impl AsRef<str>) -> String {
    let text = text.as_ref().chars().filter(|c| !c.is_control());
    text.take(NAME).collect()
}

/// Largest file, in bytes, for all of it is kept in memory. Those that there are have up to half of that.
const LARGEST: u64 = 1 << 30;
/// How many networks of a file are looked at for one that has a place: those that stand first are often nobody's.
const SAMPLE: usize = 10_000;

/// Reads the file, and sees that places are in it.
fn open(file: &Path) -> Result<Database, PlacesError> {
    let error = |problem: String| PlacesError {
        file: file.display().to_string(),
        problem,
    };
    let bytes = read(file).map_err(|problem| error(problem.to_string()))?;
    let database = Reader::from_source(bytes).map_err(|problem| error(problem.to_string()))?;
    match has_places(&database) {
        Ok(true) => Ok(database),
        Ok(false) => Err(error(format!(
            "{}: no cities or countries are in it, as GeoIP2 names them",
            kind(&database)
        ))),
        Err(problem) => Err(error(problem.to_string())),
    }
}

/// The bytes of a file. A pipe would be waited for, and a device never ends.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let about = fs::metadata(file)?;
    if !about.is_file() {
        return Err(io::Error::other("is no file"));
    }
    if about.len() > LARGEST {
        return Err(io::Error::other("is larger than 1 GiB"));
    }
    fs::read(file)
}

fn kind(database: &Database) -> String {
    shown(&database.metadata().database_type)
}

fn has_places(database: &Database) -> Result<bool, MaxMindDbError> {
    // Ways through the tree that end nowhere, or lead to the same networks as others, are counted as well: there can be
    // more of them than anyone has time for.
    let all = WithinOptions::default()
        .include_networks_without_data()
        .include_aliased_networks();
    for network in database.networks(all)?.take(SAMPLE) {
        let located = network?.decode::<Located>().ok().flatten();
        if located.is_some_and(|located| !located.words().is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a file says of itself: its kind, and when it was made.
///
/// # Errors
/// When it names no places.
pub fn look(file: &Path) -> Result<(String, Moment), PlacesError> {
    let database = open(file)?;
    let made = i64::try_from(database.metadata().build_epoch).ok();
    let made = made.and_then(|seconds| Moment::from_timestamp(seconds, 0));
    Ok((kind(&database), made.unwrap_or_default()))
}

impl Places {
    /// Those of this file; none if the path is empty.
    ///
    /// # Errors
    /// When it names no places.
    pub fn of_file(file: &Path) -> Result<Self, PlacesError> {
        let database = if file.as_os_str().is_empty() {
            None
        } else {
            Some(Arc::new(open(file)?))
        };
        Ok(Self(RwLock::new(database)))
    }

    /// Goes by others from now on.
    pub fn go_by(&self, others: Self) {
        let others = others
            .0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = others;
    }

    /// City and country of an address, in English; empty where nothing is known.
    #[must_use]
    pub fn of(&self, ip: IpAddr) -> String {
        let database = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(database) = database else {
            return String::new();
        };
        let located = database
            .lookup(ip.to_canonical())
            .and_then(|found| found.decode::<Located>());
        match located {
            Ok(located) => located.map_or_else(String::new, Located::words),
            Err(error) => {
                tracing::debug!(%error, "no place for an address");
                String::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use testkit::{Network, networks};

    use super::*;

    const CITY: &str = r#"{"city":{"names":{"en":"Hanoi","de":"Hanoi"}},"country":{"iso_code":"VN","names":{"en":"Vietnam"}},"location":{"latitude":21.0}}"#;

    fn of(database: &[Network], ip: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("places.mmdb");
        fs::write(&file, networks("Test-City", database)).unwrap();
        Places::of_file(&file).unwrap().of(ip.parse().unwrap())
    }

    #[test]
    fn an_address_has_the_place_of_its_network() {
        let country = r#"{"country":{"names":{"en":"Iceland"}}}"#;
        let database = [("203.0.113.0/24", CITY), ("2001:db8::/32", country)];
        for (ip, place) in [
            ("203.0.113.9", "Hanoi, Vietnam"),
            ("::ffff:203.0.113.9", "Hanoi, Vietnam"),
            ("2001:db8::1", "Iceland"),
            ("203.0.112.9", ""),
            ("127.0.0.1", ""),
        ] {
            assert_eq!(of(&database, ip), place, "{ip}");
        }
    }

    #[test]
    fn a_file_without_places_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("places.mmdb");
        let good = networks("Test-City", &[("203.0.113.0/24", CITY)]);
        let numbers = networks("Test-ASN", &[("203.0.113.0/24", r#"{"country":"VN"}"#)]);
        for (bytes, said) in [
            (b"no database".to_vec(), "places.mmdb: "),
            (good[..good.len() / 2].to_vec(), "places.mmdb: "),
            (Vec::new(), "places.mmdb: "),
            (numbers, "Test-ASN: no cities or countries"),
        ] {
            fs::write(&file, bytes).unwrap();
            let Err(error) = Places::of_file(&file) else {
                panic!("{said}");
            };
            assert!(error.to_string().contains(said), "{error}");
        }
        let none = Places::of_file(Path::new("")).unwrap();
        assert_eq!(none.of("203.0.113.9".parse().unwrap()), "");
    }
}
