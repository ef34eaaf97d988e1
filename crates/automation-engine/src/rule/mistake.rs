use std::fmt;

/// Something wrong in a text of rules, where it stands, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// Which part, for example `rules[2].do[0].assign.team`; empty for the whole text.
    pub path: String,
    /// What, and what would be right.
    pub message: String,
}

/// As many mistakes as their texts fit into so many bytes, at least one; the last one then says how many more there are.
/// For answers that are carried in headers, which are small.
pub fn within(mut mistakes: Vec<Mistake>, max_bytes: usize) -> Vec<Mistake> {
    let mut bytes = 0;
    let fits = |mistake: &&Mistake| {
        bytes += mistake.path.len() + mistake.message.len();
        bytes <= max_bytes
    };
    let keep = mistakes.iter().take_while(fits).count().max(1);
    let more = mistakes.len().saturating_sub(keep);
    mistakes.truncate(keep);
    if let (Some(last), 1..) = (mistakes.last_mut(), more) {
        last.message += &format!("; {more} more mistakes follow");
    }
    mistakes
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "{}:{}: {}", self.line, self.column, self.message),
            path => write!(f, "{}:{}: {path}: {}", self.line, self.column, self.message),
        }
    }
}
