use super::fields::Scope;

/// What a trigger offers to conditions and templates.
#[derive(Clone, Debug)]
pub struct Scopes {
    trigger: String,
    held: u8,
}

impl Scopes {
    /// Those of a trigger of this name.
    pub fn new(trigger: impl Into<String>, scopes: &[Scope]) -> Scopes {
        let held = scopes.iter().fold(bit(Scope::Always), |held, scope| held | bit(*scope));
        Scopes { trigger: trigger.into(), held }
    }

    /// Those that any trigger has: for a rule whose trigger could not be read.
    pub(crate) fn all() -> Scopes {
        Scopes { trigger: String::new(), held: u8::MAX }
    }

    /// Whether fields of a scope are there.
    pub fn has(&self, scope: Scope) -> bool {
        self.held & bit(scope) != 0
    }

    /// The trigger, as it is written.
    pub fn trigger(&self) -> &str {
        &self.trigger
    }

    pub(crate) fn triggers_of(scope: Scope) -> &'static str {
        match scope {
            Scope::Always => "every trigger",
            Scope::Conversation => "triggers that concern a conversation",
            Scope::Message => "message.received, message.sent, message.failed and conversation.started",
            Scope::Failed => "message.failed",
            Scope::Tag => "tag.added and tag.removed",
            Scope::Assigned => "conversation.assigned",
            Scope::Agent => "agent.online and agent.offline",
            Scope::External => "external events",
        }
    }
}

fn bit(scope: Scope) -> u8 {
    1 << scope as u8
}
