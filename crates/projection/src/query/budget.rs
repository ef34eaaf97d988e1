/// Most rows looked at for one page, above those that it asks for. What is left is for the next page.
const MAX_SCANNED: usize = 5_000;
/// Most bytes of rows in one page: clients take 4 MiB in one message unless told otherwise.
const MAX_BYTES: usize = 2 << 20;

/// What one page may cost. Bounds the work of a query whatever its filters are.
#[derive(Debug)]
pub(crate) struct Budget {
    rows: usize,
    scanned: usize,
    bytes: usize,
}

impl Budget {
    /// For a page of `rows`, at least one.
    pub(crate) fn for_page(rows: usize) -> Budget {
        Budget { rows: rows.max(1), scanned: MAX_SCANNED + rows, bytes: MAX_BYTES }
    }

    /// Whether another row may be looked at.
    pub(crate) fn goes_on(&self) -> bool {
        self.rows > 0 && self.scanned > 0 && self.bytes > 0
    }

    /// A row was looked at.
    pub(crate) fn scan(&mut self) {
        self.scanned = self.scanned.saturating_sub(1);
    }

    /// A row of that many bytes goes into the page.
    pub(crate) fn take(&mut self, bytes: usize) {
        self.rows = self.rows.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
