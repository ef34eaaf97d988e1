//! What every engine has to do. Each behaviour is a test of its own for each engine: `suite::sled::…`, `suite::fjall::…`.

mod model;
mod opening;
mod reading;

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::{Batch, Engine, Error, Home, Options, Store, View};

macro_rules! behaviours {
    ($($in:ident::$name:ident)*) => {
        behaviours!(@for sled Sled $($in::$name)*);
        behaviours!(@for fjall Fjall $($in::$name)*);
    };
    (@for $module:ident $engine:ident $($in:ident::$name:ident)*) => {
        mod $module {
            $(#[test] fn $name() { super::$in::$name(super::Engine::$engine); })*
        }
    };
}

behaviours! {
    reading::an_empty_store_holds_nothing
    reading::puts_are_read_and_deletes_are_gone
    reading::the_last_operation_on_a_key_wins
    reading::a_batch_with_an_unfit_key_changes_nothing
    reading::scans_respect_their_bounds_both_ways
    reading::prefixes_of_the_highest_byte_have_an_end
    reading::values_may_be_large
    reading::a_batch_may_be_larger_than_its_limit
    reading::a_very_large_batch_stands_over_what_was_there
    reading::a_view_sees_whole_batches_only
    reading::the_content_hash_is_of_the_rows
    opening::reopening_keeps_everything
    opening::a_second_open_is_refused
    opening::schema_versions_are_apart
    opening::a_promoted_draft_takes_over
    opening::a_dropped_draft_leaves_nothing
    opening::what_an_interrupted_rebuild_left_is_swept
    opening::a_damaged_store_is_reported_and_replaced
    model::it_behaves_like_an_ordered_map
}

/// A store in a directory of its own.
pub(super) struct Place {
    dir: TempDir,
    engine: Engine,
}

impl Place {
    pub(super) fn new(engine: Engine) -> Self {
        Self { dir: TempDir::new().unwrap(), engine }
    }

    fn home(&self) -> Home {
        open_home(self.dir.path(), self.engine).unwrap()
    }

    fn open(&self) -> Arc<dyn Store> {
        self.home().live().unwrap()
    }
}

pub(super) fn open_home(dir: &Path, engine: Engine) -> Result<Home, Error> {
    Home::open(dir, engine, 1, Options { cache_bytes: 8 << 20 })
}

fn batch(operations: &[(&[u8], Option<&[u8]>)]) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in operations {
        match value {
            Some(value) => batch.put(*key, *value),
            None => batch.delete(*key),
        }
    }
    batch
}

fn keys(count: u32) -> Batch {
    let mut batch = Batch::default();
    for number in 0..count {
        batch.put(number.to_be_bytes(), number.to_string());
    }
    batch
}

type Row = (Vec<u8>, Vec<u8>);

fn rows(view: &dyn View, start: &[u8], end: &[u8]) -> Vec<Row> {
    view.scan(start, end).map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap()).collect()
}

fn rows_back(view: &dyn View, start: &[u8], end: &[u8]) -> Vec<Row> {
    view.scan_back(start, end).map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap()).collect()
}
