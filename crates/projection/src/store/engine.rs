use std::fmt;
use std::str::FromStr;

use super::Error;

/// Which storage engine holds the projection. It names the directory, so another engine starts from an empty store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// A log-structured B-tree: few files, good up to some millions of events.
    #[default]
    Sled,
    /// A log-structured merge tree: several times faster to write and flat in memory.
    Fjall,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sled => "sled",
            Self::Fjall => "fjall",
        })
    }
}

impl FromStr for Engine {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "sled" => Ok(Self::Sled),
            "fjall" => Ok(Self::Fjall),
            _ => Err(Error::UnknownEngine { name: name.to_owned() }),
        }
    }
}

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Memory for cached pages, in bytes. Resident memory is about twice that with sled; fjall adds its write buffers.
    /// A rebuild has a second store open, with a cache of the same size.
    pub cache_bytes: u64,
}

impl Options {
    /// What suits an engine: sled's reads live by its cache, fjall has the operating system's beside its own.
    pub fn for_engine(engine: Engine) -> Self {
        let mebibytes = match engine {
            Engine::Sled => 128,
            Engine::Fjall => 64,
        };
        Self { cache_bytes: mebibytes << 20 }
    }
}
