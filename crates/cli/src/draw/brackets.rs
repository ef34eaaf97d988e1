use super::{Line, Style};

/// Brackets side by side: a conversation may have 32 tickets open at once, more than a terminal has room for. Those
/// beyond are not drawn; their stamps still say what happens.
const MOST: usize = 8;

/// The brackets at the left: one column for each ticket that is open, the primary's first.
#[derive(Clone, Debug)]
pub(crate) struct Brackets {
    columns: Vec<Option<String>>,
    most: usize,
}

impl Brackets {
    /// No brackets yet, and never more than a third of `cells`.
    pub(crate) fn within(cells: usize) -> Brackets {
        Brackets { columns: Vec::new(), most: (cells / 6).clamp(1, MOST) }
    }

    /// How many cells the brackets take.
    pub(crate) fn width(&self) -> usize {
        self.columns.len() * 2
    }

    /// The tickets that are open here, the primary first.
    pub(crate) fn open(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().flatten().map(String::as_str)
    }

    /// Makes room for `columns` from the start, so that the chat does not move sideways later.
    pub(crate) fn reserve(&mut self, columns: usize) {
        let columns = columns.min(self.most).max(self.columns.len());
        self.columns.resize(columns, None);
    }

    /// Begins a bracket: the primary's in the first column, a nested one's in the first free one after it.
    pub(crate) fn begin(&mut self, ticket: &str, nested: bool) -> Option<usize> {
        if let Some(column) = self.column(ticket) {
            return Some(column);
        }
        let first = usize::from(nested);
        let free = (first..self.most).find(|at| self.columns.get(*at).is_none_or(Option::is_none))?;
        self.reserve(free + 1);
        self.columns[free] = Some(ticket.to_owned());
        Some(free)
    }

    /// The line on which a bracket begins.
    pub(crate) fn opening(&mut self, ticket: &str, nested: bool) -> Line {
        match self.begin(ticket, nested) {
            Some(column) => self.corner(column, '┌'),
            None => self.passing(|_| true),
        }
    }

    /// The line on which a bracket ends.
    pub(crate) fn closing(&mut self, ticket: &str) -> Line {
        let Some(column) = self.column(ticket) else { return self.passing(|_| true) };
        let line = self.corner(column, '└');
        self.columns[column] = None;
        line
    }

    /// A line beside which brackets pass. The bracket of a ticket that it does not lie in is broken.
    pub(crate) fn passing(&self, lies_in: impl Fn(&str) -> bool) -> Line {
        let mut line = Line::default();
        for (at, ticket) in self.columns.iter().enumerate() {
            let drawn = match ticket {
                None => "  ",
                Some(ticket) if lies_in(ticket) => "│ ",
                Some(_) => "╎ ",
            };
            line.push(style(at), drawn);
        }
        line
    }

    /// A line below which nothing is known yet.
    pub(crate) fn fading(&self) -> Line {
        let mut line = Line::default();
        for (at, ticket) in self.columns.iter().enumerate() {
            line.push(style(at), if ticket.is_some() { "┊ " } else { "  " });
        }
        line
    }

    fn column(&self, ticket: &str) -> Option<usize> {
        self.columns.iter().position(|open| open.as_deref() == Some(ticket))
    }

    fn corner(&self, column: usize, corner: char) -> Line {
        let mut line = Line::default();
        for (at, ticket) in self.columns.iter().enumerate() {
            let (first, second) = match (at.cmp(&column), ticket.is_some()) {
                (std::cmp::Ordering::Less, true) => ('│', ' '),
                (std::cmp::Ordering::Less, false) => (' ', ' '),
                (std::cmp::Ordering::Equal, _) => (corner, '─'),
                (std::cmp::Ordering::Greater, true) => ('┼', '─'),
                (std::cmp::Ordering::Greater, false) => ('─', '─'),
            };
            line.push(if at < column { style(at) } else { style(column) }, format!("{first}{second}"));
        }
        line
    }
}

fn style(column: usize) -> Style {
    if column == 0 { Style::Primary } else { Style::Nested }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(line: &Line) -> String {
        line.render(false)
    }

    #[test]
    fn nested_brackets_stand_inside_the_primarys() {
        let mut brackets = Brackets::within(100);
        brackets.reserve(3);
        let rows = [
            drawn(&brackets.opening("p", false)),
            drawn(&brackets.opening("a", true)),
            drawn(&brackets.opening("b", true)),
            drawn(&brackets.passing(|ticket| ticket != "a")),
            drawn(&brackets.closing("a")),
            drawn(&brackets.opening("c", true)),
            drawn(&brackets.closing("b")),
            drawn(&brackets.fading()),
            drawn(&brackets.closing("c")),
            drawn(&brackets.closing("p")),
            drawn(&brackets.passing(|_| true)),
        ];
        assert_eq!(
            rows,
            ["┌─────", "│ ┌───", "│ │ ┌─", "│ ╎ │", "│ └─┼─", "│ ┌─┼─", "│ │ └─", "┊ ┊", "│ └───", "└─────", ""]
        );
    }

    #[test]
    fn more_brackets_than_there_is_room_for_are_not_drawn() {
        let mut brackets = Brackets::within(100);
        for ticket in 0..40 {
            brackets.opening(&ticket.to_string(), ticket > 0);
        }
        assert_eq!(brackets.width(), MOST * 2);
        assert_eq!(drawn(&brackets.closing("39")), drawn(&brackets.passing(|_| true)));
    }
}
