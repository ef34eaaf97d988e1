//! The keys of the bus's users.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use nkeys::KeyPair;

/// The secret half of a user's nkey (`SU…`). It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed(String);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

impl Seed {
    /// A new key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn make() -> io::Result<Seed> {
        KeyPair::new_user().seed().map(Seed).map_err(io::Error::other)
    }

    /// The one in a file.
    ///
    /// # Errors
    /// When it can't be read, or holds no user's seed.
    pub fn read(file: &Path) -> io::Result<Seed> {
        let seed = Seed(fs::read_to_string(file)?.trim().to_owned());
        seed.public().map(|_| seed)
    }

    /// The half that the server knows (`U…`).
    ///
    /// # Errors
    /// When this is no user's seed.
    pub fn public(&self) -> io::Result<String> {
        let key = KeyPair::from_seed(&self.0).ok().filter(|_| self.0.starts_with("SU"));
        let key = key.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it holds no seed of a user (SU…)"))?;
        Ok(key.public_key())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_comes_back_from_its_file_and_shows_itself_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let (seed, file) = (Seed::make().unwrap(), folder.path().join("bot.nk"));
        fs::write(&file, format!("{}\n", seed.expose())).unwrap();
        assert_eq!(Seed::read(&file).unwrap(), seed);
        assert!(seed.public().unwrap().starts_with('U') && !format!("{seed:?}").contains(seed.expose()));
        fs::write(&file, seed.public().unwrap()).unwrap();
        assert!(Seed::read(&file).is_err());
    }
}
