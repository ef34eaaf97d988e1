use super::fields::{Field, Source};

/// What the engine has to load before conditions and texts can be evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// [`MessageFields`](super::MessageFields) with its words, and [`ContactFields`](super::ContactFields): unsealing.
    pub words: bool,
    /// The state part of [`ConversationFields`](super::ConversationFields), and
    /// [`Context::ticket`](super::Context::ticket): the last decision.
    pub state: bool,
    /// [`HistoryFields`](super::HistoryFields): asks the view.
    pub history: bool,
    /// [`ConversationFields::last_ticket`](super::ConversationFields::last_ticket): asks the view.
    pub last_ticket: bool,
    /// [`MetricsFields`](super::MetricsFields) of [`Context::ticket`](super::Context::ticket): asks the view.
    pub ticket_metrics: bool,
}

impl Needs {
    /// What these fields need.
    pub fn of(fields: &[&'static Field]) -> Needs {
        fields.iter().fold(Needs::default(), |needs, field| needs.and(Needs::of_source(field.source)))
    }

    fn of_source(source: Source) -> Needs {
        let none = Needs::default();
        match source {
            Source::Event => none,
            Source::Words => Needs { words: true, ..none },
            Source::State => Needs { state: true, ..none },
            Source::History => Needs { history: true, ..none },
            Source::LastTicket => Needs { last_ticket: true, ..none },
            Source::Metrics => Needs { state: true, ticket_metrics: true, ..none },
        }
    }

    /// What either needs.
    pub fn and(self, other: Needs) -> Needs {
        Needs {
            words: self.words || other.words,
            state: self.state || other.state,
            history: self.history || other.history,
            last_ticket: self.last_ticket || other.last_ticket,
            ticket_metrics: self.ticket_metrics || other.ticket_metrics,
        }
    }

    /// Whether anything has to be asked of the view.
    pub fn asks_view(self) -> bool {
        self.history || self.last_ticket || self.ticket_metrics
    }
}
