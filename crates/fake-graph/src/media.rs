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

/// Files by their id.
#[derive(Debug, Default)]
pub(crate) struct Shelf(HashMap<String, File>);

impl Shelf {
    pub(crate) fn put(&mut self, id: String, file: File) {
        self.0.insert(id, file);
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&File> {
        self.0.get(id)
    }

    pub(crate) fn take(&mut self, id: &str) -> Option<File> {
        self.0.remove(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
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
