//! What the staff reads about a handoff.

use super::deed::Why;
use crate::brain::{Question, Said, Speaker};

/// Lines of the chat that are repeated in a note, and the longest, in characters.
const LINES: usize = 8;
const LONG: usize = 300;

/// Why, about what, and what was said since the bot has had the conversation.
pub(super) fn summary(why: &Why, topic: &str, score: Option<f64>, question: &Question) -> String {
    let mut lines = vec![format!("Handed off: {}.", why.text())];
    match (topic.is_empty(), score) {
        (false, Some(score)) => lines.push(format!("Topic: {topic} ({:.0} % sure).", score * 100.0)),
        (false, None) => lines.push(format!("Topic: {topic}.")),
        (true, _) => {}
    }
    let said = question.history.iter().map(line);
    let asked = question.text.lines().map(|text| format!("Customer: {}", short(text)));
    let all: Vec<String> = said.chain(asked).collect();
    lines.extend_from_slice(&all[all.len().saturating_sub(LINES)..]);
    lines.join("\n")
}

fn line(said: &Said) -> String {
    let who = match said.by {
        Speaker::Customer => "Customer",
        Speaker::Bot => "Bot",
        Speaker::Agent => "Agent",
    };
    format!("{who}: {}", short(&said.text))
}

/// One line, not too long.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONG) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_why_and_what_was_said_last() {
        let said = |nth: usize| Said { by: Speaker::Bot, text: format!("answer\n{nth}") };
        let question =
            Question { text: "first\nsecond".to_owned(), history: (0..20).map(said).collect(), ..Question::default() };
        let note = summary(&Why::NotSure, "returns", Some(0.414), &question);
        let lines: Vec<&str> = note.lines().collect();
        assert_eq!(lines[..2], ["Handed off: not sure what the answer is.", "Topic: returns (41 % sure)."]);
        assert_eq!(lines[2..4], ["Bot: answer 14", "Bot: answer 15"]);
        assert_eq!(lines[8..], ["Customer: first", "Customer: second"]);
    }
}
