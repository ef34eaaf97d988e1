#[allow(dead_code)] // until the service uses it
mod query;
#[allow(dead_code, unused_imports)] // until the fold uses it
mod store;
#[allow(dead_code)] // until the service uses it
mod view;

pub use store::{Engine, Error as StoreError, Options as StoreOptions};
