//! Files that are kept at the API.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) mime_type: String,
    pub(crate) bytes: Bytes,
    /// What the API says of it, where that is not the truth.
    pub(crate) said: Option<Value>,
}

/// What is asked of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileCall {
    /// What it is, and where it lies.
    About,
    /// Its bytes.
    Bytes,
}

/// Files by their id.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    files: HashMap<String, File>,
    /// How often a call still fails, and with which status.
    faults: HashMap<(String, FileCall), (u32, u16)>,
    asked: HashMap<(String, FileCall), u64>,
}

impl Shelf {
    pub(crate) fn put(&mut self, id: String, file: File) {
        self.files.insert(id, file);
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.files.contains_key(id)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&File> {
        self.files.get(id)
    }

    pub(crate) fn take(&mut self, id: &str) -> Option<File> {
        self.files.remove(id)
    }

    pub(crate) fn fail(&mut self, id: &str, call: FileCall, times: u32, status: u16) {
        self.faults.insert((id.to_owned(), call), (times, status));
    }

    /// Notes a call; the status that it fails with, if it is to.
    pub(crate) fn ask(&mut self, id: &str, call: FileCall) -> Option<u16> {
        let key = (id.to_owned(), call);
        *self.asked.entry(key.clone()).or_default() += 1;
        let (left, status) = self.faults.get_mut(&key).filter(|(left, _)| *left > 0)?;
        *left -= 1;
        Some(*status)
    }

    pub(crate) fn asked(&self, id: &str, call: FileCall) -> u64 {
        self.asked.get(&(id.to_owned(), call)).copied().unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }
}

impl File {
    /// What the API says of the file, with the address of its bytes.
    pub(crate) fn describe(&self, id: &str, url: &str) -> Value {
        let sha256: String = Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut said = json!({
            "messaging_product": "whatsapp", "url": url, "mime_type": self.mime_type, "sha256": sha256,
            "file_size": self.bytes.len().to_string(), "id": id,
        });
        if let (Some(said), Some(Value::Object(other))) = (said.as_object_mut(), &self.said) {
            said.extend(other.clone());
        }
        said
    }
}
