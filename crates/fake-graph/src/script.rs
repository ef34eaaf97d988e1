//! What goes otherwise than usual, and for whom.

use std::time::Duration;

use crate::GraphError;

/// What is done with a call.
#[derive(Clone, Debug)]
pub enum Act {
    /// The usual: checked, limited, accepted.
    Usual,
    /// Refused with this.
    Error(GraphError),
    /// Answered with this status and these bytes, and perhaps `Retry-After` in seconds; not accepted.
    Raw {
        /// The HTTP status.
        status: u16,
        /// The bytes.
        body: String,
        /// The header.
        retry_after: Option<u64>,
    },
    /// The connection ends without an answer, and nothing was accepted.
    DropBefore,
    /// Accepted, and the connection ends without an answer.
    DropAfter,
    /// Accepted, and answered with what is no JSON.
    Garble,
    /// Another one, after a while.
    Slow(Duration, Box<Act>),
    /// Another one, and its answer comes late: what is accepted is accepted at once.
    Late(Duration, Box<Act>),
}

impl Act {
    /// Refused with this code.
    pub fn error(code: i64) -> Act {
        Act::Error(GraphError::of(code))
    }

    /// Answered 429 with `Retry-After`, without a body that says anything.
    pub fn too_many(retry_after: u64) -> Act {
        Act::Raw { status: 429, body: String::new(), retry_after: Some(retry_after) }
    }

    /// Answered with a status and with what is no JSON.
    pub fn status(status: u16) -> Act {
        Act::Raw { status, body: "no JSON at all".to_owned(), retry_after: None }
    }

    /// Everything as usual, after a while.
    pub fn slowly(long: Duration) -> Act {
        Act::Slow(long, Box::new(Act::Usual))
    }
}

/// Which calls are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    number: Option<String>,
    recipient: Option<String>,
}

impl Which {
    /// All.
    pub fn any() -> Which {
        Which::default()
    }

    /// Those of a number of the business.
    pub fn of(number: impl Into<String>) -> Which {
        Which { number: Some(number.into()), recipient: None }
    }

    /// Those to a recipient.
    pub fn to(recipient: impl Into<String>) -> Which {
        Which { number: None, recipient: Some(recipient.into()) }
    }

    pub(crate) fn fits(&self, number: &str, recipient: &str) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        same(&self.number, number) && same(&self.recipient, recipient)
    }
}

/// What was said in advance, in the order in which it was said.
#[derive(Debug, Default)]
pub(crate) struct Script {
    scenes: Vec<Scene>,
}

#[derive(Debug)]
struct Scene {
    which: Which,
    /// How often; `None` for always.
    left: Option<u32>,
    act: Act,
}

impl Script {
    pub(crate) fn add(&mut self, which: Which, times: Option<u32>, act: Act) {
        if times != Some(0) {
            self.scenes.push(Scene { which, left: times, act });
        }
    }

    pub(crate) fn clear(&mut self) {
        self.scenes.clear();
    }

    /// What is done with a call.
    pub(crate) fn next(&mut self, number: &str, recipient: &str) -> Act {
        let Some(at) = self.scenes.iter().position(|scene| scene.which.fits(number, recipient)) else {
            return Act::Usual;
        };
        let Some(scene) = self.scenes.get_mut(at) else { return Act::Usual };
        let act = scene.act.clone();
        scene.left = scene.left.map(|left| left - 1);
        if scene.left == Some(0) {
            self.scenes.remove(at);
        }
        act
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_come_in_order_and_are_used_up() {
        let mut script = Script::default();
        script.add(Which::to("b"), None, Act::DropAfter);
        script.add(Which::any(), Some(2), Act::error(2));
        script.add(Which::of("1"), None, Act::DropBefore);
        assert!(matches!(script.next("1", "b"), Act::DropAfter));
        assert!(matches!(script.next("1", "a"), Act::Error(_)) && matches!(script.next("2", "a"), Act::Error(_)));
        assert!(matches!(script.next("1", "a"), Act::DropBefore) && matches!(script.next("2", "a"), Act::Usual));
    }
}
