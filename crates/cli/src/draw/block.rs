use proto::v1;

use super::text::{isolate, wrap};
use super::{Line, Style, message, words};

/// No text is laid out narrower than this.
const NARROWEST: usize = 12;

/// A message or note on its way to one side.
pub(crate) struct Block {
    /// On the side of the business.
    pub(crate) right: bool,
    /// Who says it.
    pub(crate) name: Line,
    /// What it answers.
    pub(crate) above: Vec<Line>,
    /// What it says.
    pub(crate) text: Vec<String>,
    /// How that looks.
    pub(crate) style: Style,
    /// When, and how far it has come: behind the last words where there is room.
    pub(crate) foot: Line,
    /// What became of it.
    pub(crate) below: Vec<Line>,
}

impl Block {
    /// The lines below the name, none wider than `most` unless a single character is.
    pub(crate) fn lines(self, most: usize) -> Vec<Line> {
        let most = most.max(NARROWEST);
        let mut lines: Vec<Line> = self.above;
        for said in &self.text {
            lines.extend(wrap(said, most).iter().map(|line| Line::of(self.style, isolate(line))));
        }
        let foot = self.foot.width();
        let last = lines.last().map_or(0, Line::width);
        let widest = lines.iter().map(Line::width).max().unwrap_or(0).max(foot);
        match lines.last_mut() {
            Some(line) if last + 2 + foot <= most => {
                line.pad_to((last + 2).max(widest.saturating_sub(foot)));
                line.append(self.foot);
            }
            _ => {
                let mut line = Line::default();
                line.pad_to(widest.saturating_sub(foot));
                line.append(self.foot);
                lines.push(line);
            }
        }
        lines.extend(self.below.into_iter().flat_map(|line| wrap_line(line, most)));
        lines
    }
}

/// What stands below a message: why it failed, and the reactions to it.
pub(crate) fn below(message: &v1::Message) -> Vec<Line> {
    let failure = message::failure(message).map(|why| Line::of(Style::Bad, why));
    let reactions = message::reactions(message).map(|reactions| Line::of(Style::Plain, reactions));
    failure.into_iter().chain(reactions).collect()
}

/// A line, broken if it is too wide.
pub(crate) fn wrap_line(line: Line, most: usize) -> Vec<Line> {
    if line.width() <= most {
        return vec![line];
    }
    wrap(&line.render(false), most).into_iter().map(|part| Line::of(Style::Dim, part)).collect()
}

/// Who it is, in the colour of their kind.
pub(crate) fn name(actor: Option<&v1::Actor>) -> Line {
    use v1::actor::Kind;
    let style = match actor.map(v1::Actor::kind) {
        Some(Kind::Customer) => Style::Customer,
        Some(Kind::Agent) => Style::Agent,
        Some(Kind::Bot) => Style::Bot,
        Some(Kind::Automation) => Style::Rule,
        _ => Style::Dim,
    };
    let name = words::actor(actor);
    let kind = words::kind(actor);
    let line = Line::of(style, isolate(&name));
    if kind.is_empty() || kind == name { line } else { line.with(Style::Dim, format!(" ({kind})")) }
}
