//! Bodies that no one here wrote, against an independent reading of them.

use std::path::PathBuf;

use ingest::signed_by;
use ingest::whatsapp::{self, Update};
use serde_json::Value;
use service::Secret;

use crate::observed;

/// A fixture and what its index says.
pub struct Fixture {
    pub row: Value,
    pub body: Vec<u8>,
}

impl Fixture {
    pub fn name(&self) -> &str {
        self.row["file"].as_str().unwrap()
    }

    pub fn kind(&self) -> &str {
        self.row["kind"].as_str().unwrap()
    }

    pub fn signature(&self) -> &str {
        self.row["signature"].as_str().unwrap()
    }
}

/// The secret that the index signs with.
pub const SECRET: &str = "holdout-app-secret";

/// All of them; none where `THREADMARK_FIXTURES` does not say where they are.
pub fn all() -> Vec<Fixture> {
    let Some(folder) = std::env::var_os("THREADMARK_FIXTURES") else {
        eprintln!("skipped: THREADMARK_FIXTURES is not set");
        return Vec::new();
    };
    let folder = PathBuf::from(folder).join("whatsapp");
    let index = std::fs::read_to_string(folder.join("INDEX.jsonl")).expect("the index of the fixtures");
    let fixture = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let body = std::fs::read(folder.join(row["file"].as_str().unwrap())).unwrap();
        Fixture { row, body }
    };
    let all: Vec<Fixture> = index.lines().map(fixture).collect();
    assert!(!all.is_empty(), "the index is empty");
    all
}

#[test]
fn every_signature_fits_its_exact_bytes() {
    for fixture in all() {
        let secrets = [Secret::new("another secret"), Secret::new(SECRET)];
        assert_eq!(signed_by(&fixture.body, fixture.signature(), &secrets), Some(1), "{}", fixture.name());
        let mut bent = fixture.body.clone();
        bent[0] ^= 1;
        assert_eq!(signed_by(&bent, fixture.signature(), &secrets), None, "{}", fixture.name());
    }
}

#[test]
fn every_body_yields_exactly_what_is_expected() {
    for fixture in all() {
        let items = whatsapp::parse(&fixture.body);
        if fixture.kind() == "invalid" {
            let made = items.iter().flatten().filter(|item| matches!(item.update, Ok(Update::Chat(_)))).count();
            assert_eq!(made, 0, "{}", fixture.name());
            continue;
        }
        let items = items.unwrap_or_else(|error| panic!("{}: {error}", fixture.name()));
        let (found, wanted) = (observed::expected(&items), &fixture.row["expected"]);
        assert_eq!(&found, wanted, "{}", fixture.name());
    }
}
