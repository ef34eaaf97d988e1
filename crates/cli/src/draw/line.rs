use super::text;

/// What a piece of text is, and so how it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Style {
    /// Words as they are.
    #[default]
    Plain,
    /// Of less weight: times, hints, separators.
    Dim,
    /// Headings.
    Strong,
    /// The customer's name.
    Customer,
    /// An agent's name.
    Agent,
    /// The bot's name.
    Bot,
    /// A rule's name.
    Rule,
    /// The words of a stamp.
    Stamp,
    /// The bracket of a primary ticket.
    Primary,
    /// The bracket of a nested ticket.
    Nested,
    /// For the staff alone.
    Note,
    /// Done well: read, equal.
    Good,
    /// Failed.
    Bad,
}

impl Style {
    /// The parameters of the escape sequence that turns it on; the sixteen colours that every terminal's theme names.
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Dim => "2",
            Style::Strong => "1",
            Style::Customer => "1;36",
            Style::Agent => "1;32",
            Style::Bot => "1;35",
            Style::Rule => "1;34",
            Style::Stamp => "1",
            Style::Primary => "32",
            Style::Nested => "33",
            Style::Note => "33",
            Style::Good => "34",
            Style::Bad => "31",
        }
    }
}

/// One line of styled text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line(Vec<(Style, String)>);

impl Line {
    /// A line of one piece.
    pub(crate) fn of(style: Style, text: impl Into<String>) -> Line {
        Line::default().with(style, text)
    }

    /// A line of `area` cells with `words` in the middle, and beside them, as far as there is room, a label and a time.
    pub(crate) fn centred(area: usize, fill: char, label: Line, words: Line, time: Line) -> Line {
        let room = area.saturating_sub(words.width() + 2);
        let left = room / 2;
        let right = room - left;
        let fills = |cells: usize| Line::of(Style::Dim, fill.to_string().repeat(cells));
        let mut line = Line::default();
        if label.width() > 0 && label.width() + 4 <= left {
            line.append(fills(1).with(Style::Plain, " "));
            line.append(label.with(Style::Plain, " "));
        }
        let used = line.width();
        line.append(fills(left - used));
        line.push(Style::Plain, " ");
        line.append(words);
        line.push(Style::Plain, " ");
        match time.width() {
            cells if cells > 0 && cells + 2 <= right => {
                line.append(fills(right - cells - 1).with(Style::Plain, " "));
                line.append(time);
            }
            _ => line.append(fills(right)),
        }
        line
    }

    /// With a further piece.
    pub(crate) fn with(mut self, style: Style, text: impl Into<String>) -> Line {
        self.push(style, text);
        self
    }

    /// Adds a piece.
    pub(crate) fn push(&mut self, style: Style, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.0.push((style, text));
        }
    }

    /// Adds the pieces of another line.
    pub(crate) fn append(&mut self, other: Line) {
        self.0.extend(other.0);
    }

    /// Adds spaces up to a width.
    pub(crate) fn pad_to(&mut self, cells: usize) {
        let have = self.width();
        self.push(Style::Plain, " ".repeat(cells.saturating_sub(have)));
    }

    /// How many cells of the terminal it takes.
    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text::width(text)).sum()
    }

    /// What to print: without spaces at the end, with escape sequences if `color`.
    pub(crate) fn render(&self, color: bool) -> String {
        let mut pieces = self.0.clone();
        while let Some((_, text)) = pieces.last_mut() {
            text.truncate(text.trim_end_matches(' ').len());
            if !text.is_empty() {
                break;
            }
            pieces.pop();
        }
        let mut out = String::new();
        for (style, text) in pieces {
            match style.code() {
                code if color && !code.is_empty() => out.push_str(&format!("\u{1b}[{code}m{text}\u{1b}[0m")),
                _ => out.push_str(&text),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_at_the_end_are_not_printed() {
        let line = Line::of(Style::Plain, " a ").with(Style::Dim, "  ").with(Style::Plain, "");
        assert_eq!(line.render(false), " a");
        assert_eq!(line.width(), 5);
    }

    #[test]
    fn color_is_asked_for() {
        let line = Line::of(Style::Bad, "no").with(Style::Plain, "!");
        assert_eq!(line.render(false), "no!");
        assert_eq!(line.render(true), "\u{1b}[31mno\u{1b}[0m!");
    }
}
