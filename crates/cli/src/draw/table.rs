use super::{Line, Style, fit, width};

/// Between columns.
const GAP: usize = 2;
/// A column is not cut below this.
const LEAST: usize = 8;

/// On which side the words of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words, which may be cut.
    Left,
    /// Ids and times, of which a part is worth nothing.
    Whole,
    /// Numbers.
    Right,
}

/// Rows of aligned columns under a heading.
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<(Style, String)>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Table {
        Table { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row: a cell for each column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = (Style, String)>) {
        let row = cells.into_iter().map(|(style, text)| (style, super::text::clean_line(&text)));
        self.rows.push(row.collect());
    }

    /// Whether it has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The heading and the rows. When they are wider than `cells`, the widest columns of words are cut. Columns without
    /// any words are left out.
    pub(crate) fn lines(&self, cells: usize) -> Vec<Line> {
        let widths = self.widths(cells);
        let heading = self.columns.iter().map(|(name, _)| (Style::Dim, (*name).to_owned())).collect();
        std::iter::once(&heading).chain(&self.rows).map(|row| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[(Style, String)], widths: &[usize]) -> Line {
        let mut line = Line::default();
        for (((_, align), (style, text)), cells) in self.columns.iter().zip(row).zip(widths) {
            if *cells == 0 {
                continue;
            }
            if line.width() > 0 {
                line.push(Style::Plain, " ".repeat(GAP));
            }
            let text = fit(text, *cells);
            let space = " ".repeat(cells - width(&text));
            match align {
                Align::Left | Align::Whole => line.append(Line::of(*style, text).with(Style::Plain, space)),
                Align::Right => line.append(Line::of(Style::Plain, space).with(*style, text)),
            }
        }
        line
    }

    fn widths(&self, cells: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = (0..self.columns.len()).map(|column| self.natural(column)).collect();
        loop {
            let shown = widths.iter().filter(|cells| **cells > 0).count();
            let total = widths.iter().sum::<usize>() + GAP * shown.saturating_sub(1);
            let widest = (0..widths.len()).filter(|at| self.columns[*at].1 == Align::Left).max_by_key(|at| widths[*at]);
            match widest {
                Some(at) if total > cells && widths[at] > LEAST => {
                    widths[at] -= (total - cells).min(widths[at] - LEAST)
                }
                _ => return widths,
            }
        }
    }

    fn natural(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|(_, text)| width(text));
        match cells.max() {
            Some(0) | None => 0,
            Some(widest) => widest.max(width(self.columns[column].0)),
        }
    }
}

/// Two bars on end, `first` solid and `second` shaded, where `most` of both together fills `cells`.
pub(crate) fn bar(first: u64, second: u64, most: u64, cells: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let scale = |count: u64| -> usize {
        let eighths = u128::from(count) * 8 * cells as u128 / u128::from(most.max(1));
        usize::try_from(eighths).unwrap_or(usize::MAX).min(cells * 8)
    };
    let (solid, all) = (scale(first), scale(first.saturating_add(second)));
    let seen = if first > 0 { solid.max(1) } else { 0 };
    if second == 0 {
        return "█".repeat(seen / 8) + EIGHTHS[seen % 8];
    }
    let solid = (solid + 4) / 8;
    let shaded = ((all + 4) / 8).saturating_sub(solid).max(1);
    "█".repeat(solid) + &"░".repeat(shaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(cells: &[&str]) -> Vec<(Style, String)> {
        cells.iter().map(|text| (Style::Plain, (*text).to_owned())).collect()
    }

    fn draw(table: &Table, cells: usize) -> String {
        table.lines(cells).iter().map(|line| line.render(false) + "\n").collect()
    }

    #[test]
    fn columns_are_aligned_by_width_and_empty_ones_left_out() {
        let mut table = Table::new(&[("NAME", Align::Left), ("TAGS", Align::Left), ("OPEN", Align::Right)]);
        table.row(plain(&["日本", "", "1"]));
        table.row(plain(&["a\nb", "", "12"]));
        assert_eq!(draw(&table, 80), "NAME  OPEN\n日本     1\na b     12\n");
    }

    #[test]
    fn the_widest_words_are_cut_first_and_numbers_never() {
        let mut table = Table::new(&[("NAME", Align::Left), ("N", Align::Right)]);
        table.row(plain(&["a very long name indeed", "123456"]));
        assert_eq!(draw(&table, 20), "NAME               N\na very long…  123456\n");
    }

    #[test]
    fn bars_are_to_scale_and_anything_is_seen() {
        let cases = [
            (10, 0, 10, "████"),
            (5, 5, 10, "██░░"),
            (1, 0, 1000, "▏"),
            (0, 1, 1000, "░"),
            (0, 0, 10, ""),
            (3, 0, 8, "█▌"),
            (u64::MAX, 0, u64::MAX, "████"),
        ];
        for (first, second, most, drawn) in cases {
            assert_eq!(bar(first, second, most, 4), drawn, "{first} + {second} of {most}");
        }
    }
}
