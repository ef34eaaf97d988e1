//! The written stories: `stories.txt`, read once.

use std::sync::LazyLock;

use proto::v1;

use super::story::{Act, Said, Speaker, Step, Story};
use crate::who;

/// Customers and stories as people wrote them.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) people: Vec<Person>,
    stories: Vec<(String, Story)>,
}

/// A customer of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) number: String,
    pub(super) language: String,
    pub(super) name: String,
}

static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
    // A line that can't be read is left out; a test reads every one.
    read(include_str!("stories.txt")).0
});

impl Script {
    /// The script that every demonstration plays.
    pub(super) fn get() -> &'static Script {
        &SCRIPT
    }

    /// The stories of a language.
    pub(super) fn of(&self, language: &str) -> Vec<&Story> {
        self.stories.iter().filter(|(of, _)| of == language).map(|(_, story)| story).collect()
    }
}

/// The script, and the lines that can't be read.
fn read(text: &str) -> (Script, Vec<String>) {
    let (mut script, mut wrong) = (Script::default(), Vec::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if read_line(&mut script, line).is_none() {
            wrong.push(line.to_owned());
        }
    }
    (script, wrong)
}

fn read_line(script: &mut Script, line: &str) -> Option<()> {
    let (first, rest) = line.split_once(' ')?;
    match first {
        "customer" => {
            let mut words = rest.splitn(3, ' ');
            let (number, language, name) = (words.next()?, words.next()?, words.next()?);
            let person = Person { number: number.to_owned(), language: language.to_owned(), name: name.to_owned() };
            script.people.push(person);
        }
        "story" => script.stories.push((rest.to_owned(), Story::default())),
        _ => {
            let step = step(line)?;
            script.stories.last_mut()?.1.steps.push(step);
        }
    }
    Some(())
}

/// `c: words`, `ana open: refund -> team:billing`, `bot close all`: who, what, and after the colon with which words.
fn step(line: &str) -> Option<Step> {
    let (head, words) = match line.split_once(": ") {
        Some((head, words)) => (head, words.trim()),
        None => (line, ""),
    };
    let (who, verb) = head.split_once(' ').unwrap_or((head, ""));
    if who == "c" {
        Some(Step::Customer(said(verb, words)?))
    } else {
        Some(Step::Business(speaker(who)?, act(verb, words)?))
    }
}

fn said(verb: &str, words: &str) -> Option<Said> {
    let text = || (!words.is_empty()).then(|| words.to_owned());
    match verb {
        "" => text().map(Said::Text),
        "image" => Some(Said::Image(words.to_owned())),
        "voice" => Some(Said::Voice),
        "button" => text().map(Said::Button),
        "row" => text().map(Said::Row),
        "react" => text().map(Said::Reaction),
        "location" => {
            let mut parts = words.split('|').map(str::trim);
            Some(Said::Location {
                name: parts.next()?.to_owned(),
                address: parts.next()?.to_owned(),
                latitude: parts.next()?.parse().ok()?,
                longitude: parts.next()?.parse().ok()?,
            })
        }
        _ => None,
    }
}

fn speaker(who: &str) -> Option<Speaker> {
    match who {
        "bot" => Some(Speaker::bot()),
        who => match who.strip_prefix("rule/") {
            Some(rule) => Some(Speaker::rule(rule)),
            None => Speaker::agents().into_iter().find(|agent| agent.id == who),
        },
    }
}

fn act(verb: &str, words: &str) -> Option<Act> {
    let text = || (!words.is_empty()).then(|| words.to_owned());
    match verb {
        "" => text().map(Act::Say),
        "note" => text().map(Act::Note),
        "tag" => text().map(Act::Tag),
        "open" => {
            let (topic, assignee) = words.split_once(" -> ").unwrap_or((words, ""));
            let assignee = if assignee.is_empty() { None } else { Some(assignee_of(assignee)?) };
            Some(Act::Open { topic: topic.to_owned(), assignee })
        }
        "assign" => assignee_of(words).map(Act::Assign),
        "unassign" => Some(Act::Unassign),
        "close" => Some(Act::Close),
        "close all" => Some(Act::CloseAll),
        "read" => Some(Act::Read),
        _ => None,
    }
}

fn assignee_of(text: &str) -> Option<v1::Assignee> {
    who::assignee(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_stories_can_be_read() {
        let (script, wrong) = read(include_str!("stories.txt"));
        assert_eq!(wrong, Vec::<String>::new());
        assert!(script.people.len() >= 6);
        for person in &script.people {
            assert!(script.of(&person.language).len() >= 2, "{} has too little to say", person.name);
        }
    }

    #[test]
    fn every_story_begins_with_the_customer_and_closes_what_it_opens() {
        for (language, story) in &Script::get().stories {
            assert!(matches!(story.steps.first(), Some(Step::Customer(_))), "{language}: {story:?}");
            let mut open = 0_i32;
            for step in &story.steps {
                match step {
                    Step::Business(_, Act::Open { .. }) => open += 1,
                    Step::Business(_, Act::Close) => open -= 1,
                    Step::Business(_, Act::CloseAll) => open = 0,
                    _ => {}
                }
            }
            assert_eq!(open, 0, "{language}: {story:?}");
        }
    }

    #[test]
    fn the_demonstration_shows_all_there_is() {
        let steps: Vec<&Step> = Script::get().stories.iter().flat_map(|(_, story)| &story.steps).collect();
        let business =
            |kind| steps.iter().any(|step| matches!(step, Step::Business(who, Act::Open { .. }) if who.kind == kind));
        assert!(
            business(v1::actor::Kind::Agent) && business(v1::actor::Kind::Bot) && business(v1::actor::Kind::Automation)
        );
        let said = |is: fn(&Said) -> bool| steps.iter().any(|step| matches!(step, Step::Customer(said) if is(said)));
        assert!(said(|said| matches!(said, Said::Image(_))) && said(|said| matches!(said, Said::Location { .. })));
        assert!(said(|said| matches!(said, Said::Reaction(_))) && said(|said| matches!(said, Said::Voice)));
        assert!(said(|said| matches!(said, Said::Button(_))) && said(|said| matches!(said, Said::Row(_))));
    }
}
