//! What is known of a conversation beside its chat, and what can be done with it.

use maud::{Markup, html};
use proto::v1;
use v1::ticket::State;

use super::lanes::{Lanes, ordinal};
use crate::page;
use crate::services::Staff;
use crate::session::Who;
use crate::words;

/// Tickets shown at once; the rail has them all.
const SHOWN: usize = 20;

/// All of it.
pub(crate) struct Panel<'a> {
    pub(crate) who: &'a Who,
    pub(crate) staff: &'a Staff,
    pub(crate) conversation: &'a v1::Conversation,
    pub(crate) lanes: &'a Lanes,
    /// The names of rules whose trigger is `manual`.
    pub(crate) rules: &'a [String],
}

impl Panel<'_> {
    pub(crate) fn draw(&self) -> Markup {
        html! {
            a.button.quiet.onlyphone href="#main" { "Back to the chat" }
            section.stack {
                h2 { "Who has it" }
                (self.holder())
                (self.give())
            }
            section.stack {
                h2 { "Tickets" }
                (self.open())
                (self.tickets())
            }
            section.stack {
                h2 { "Tags" }
                (self.tags())
            }
            @if !self.rules.is_empty() {
                section.stack {
                    h2 { "Shortcuts" }
                    (self.shortcuts())
                }
            }
        }
    }

    fn to(&self, what: &str) -> String {
        format!("/c/{}/{what}", self.conversation.id)
    }

    /// Gives the conversation to somebody.
    fn give(&self) -> Markup {
        let conversation = self.conversation;
        let mine = conversation.assignee.as_ref().is_some_and(|assignee| assignee.agent_id == self.who.agent);
        let held = conversation.assignee.is_some() || conversation.open_ticket_count > 0 || conversation.bot_paused;
        let take = if held { "Assign to me" } else { "Take over from the bot" };
        let back = match conversation.open_ticket_count {
            0 => "Hand back to the bot".to_owned(),
            open => format!("Close {open} and hand back to the bot"),
        };
        html! {
            @if !mine {
                form method="post" action=(self.to("mine")) data-act="" data-pending={ "Assigned to " (self.who.name) } { (command()) button #mine { (take) } }
            }
            form method="post" action=(self.to("assign")) data-act="" {
                (command())
                label { "Give it to"
                    select name="assignee" required {
                        option value="" { "…" }
                        optgroup label="Teams" { @for team in &self.staff.teams { option value={ "team:" (team.id) } { (words::called(&team.display_name, &team.id)) } } }
                        optgroup label="Agents" { @for agent in &self.staff.agents { option value={ "agent:" (agent.id) } { (words::called(&agent.display_name, &agent.id)) (presence(agent)) } } }
                    }
                }
                button.quiet { "Assign" }
            }
            div.line {
                @if conversation.assignee.is_some() {
                    form method="post" action=(self.to("unassign")) data-act="" data-pending="Unassigned" { (command()) button.quiet { "Unassign" } }
                }
                @if held {
                    form method="post" action=(self.to("hand-back")) data-act="" { (command()) button.quiet { (back) } }
                } @else {
                    form method="post" action=(self.to("pause")) data-act="" { (command()) button.quiet { "Pause the bot" } }
                }
            }
        }
    }

    /// Opens a ticket, and closes those that are open. Closing a primary closes what is nested in it: they are named.
    fn open(&self) -> Markup {
        let open: Vec<&v1::Ticket> =
            self.lanes.tickets().iter().filter(|ticket| ticket.state() == State::Open).collect();
        let newest = open.last().map(|ticket| ticket.id.as_str());
        html! {
            @for ticket in &open {
                @let nested: Vec<String> = open.iter().filter(|other| other.primary_id == ticket.id).map(|other| label(other)).collect();
                form method="post" action=(self.to("close")) data-act="" data-pending={ "Ticket closed by " (self.who.name) } {
                    (command())
                    input type="hidden" name="ticket" value=(ticket.id);
                    button.danger id=[(newest == Some(ticket.id.as_str())).then_some("close")] { "Close " bdi { (label(ticket)) } }
                    @if !nested.is_empty() { span.hint { "with " bdi { (nested.join(", ")) } } }
                }
            }
            form method="post" action=(self.to("open")) data-act="" data-pending={ "Ticket opened by " (self.who.name) } {
                (command())
                label { (if open.is_empty() { "Topic" } else { "Topic of a nested ticket" }) input #topic name="topic" maxlength="256" dir="auto" list="topics"; }
                button.quiet { "Open" }
            }
            datalist #topics { @for topic in topics(self.lanes) { option value=(topic) {} } }
        }
    }

    fn tags(&self) -> Markup {
        html! {
            @if !self.conversation.tags.is_empty() {
                ul.chips {
                    @for tag in &self.conversation.tags {
                        li.chip {
                            bdi { (tag) }
                            form method="post" action=(self.to("untag")) data-act="" { (command()) input type="hidden" name="tag" value=(tag); button aria-label={ "Remove the tag " (tag) } { "×" } }
                        }
                    }
                }
            }
            form method="post" action=(self.to("tag")) data-act="" { (command()) label { "Tag" input name="tag" maxlength="64" required dir="auto"; } button.quiet { "Add" } }
        }
    }

    /// Rules that people run.
    fn shortcuts(&self) -> Markup {
        html! {
            @for rule in self.rules {
                form method="post" action=(self.to("rule")) data-act="" { (command()) input type="hidden" name="rule" value=(rule); button.quiet { "▶ " bdi { (rule) } } }
            }
        }
    }

    /// Who has the conversation, in words.
    pub(crate) fn holder(&self) -> Markup {
        let conversation = self.conversation;
        let assignee = self.staff.assignee(conversation.assignee.as_ref());
        html! {
            p.holder {
                @if !assignee.is_empty() {
                    (page::face(&assignee)) " Assigned to " b { bdi { (assignee) } }
                } @else if conversation.open_ticket_count > 0 {
                    span.dot.warn {} " A ticket is open and nobody has it"
                } @else if conversation.bot_paused {
                    span.dot.warn {} " Nobody has it, and the bot is paused"
                } @else {
                    span.dot.calm {} " The bot has it"
                }
            }
        }
    }

    fn tickets(&self) -> Markup {
        let newest = self.lanes.tickets().iter().rev();
        html! {
            @if self.lanes.tickets().is_empty() { p.hint { "No ticket yet." } }
            ol.cards {
                @for ticket in newest.take(SHOWN) { (self.card(ticket)) }
            }
            @if self.lanes.tickets().len() > SHOWN { p.hint { (self.lanes.tickets().len() - SHOWN) " older ones stand in the rail above the chat." } }
        }
    }

    fn card(&self, ticket: &v1::Ticket) -> Markup {
        let (open, number) = (ticket.state() == State::Open, ordinal(&ticket.id));
        html! {
            li.card .open[open] .nested[!ticket.primary_id.is_empty()] id={ "card" (number) } data-t=(number) data-about=(summary(ticket, self.staff, self.who)) {
                a href={ "/c/" (ticket.conversation_id) "?ticket=" (number) "#t" (number) } data-jump=(number) {
                    b { (words::number(&ticket.id)) } " " bdi { (words::called(&ticket.topic, "no topic")) }
                }
                span.state { (if open { "open" } else { "closed" }) }
                dl {
                    dt { "opened" } dd { (words::minute(ticket.open_time.as_ref(), &self.who.zone)) " by " bdi { (words::actor(ticket.opened_by.as_ref())) } }
                    @if !open {
                        dt { "closed" } dd { "after " (words::between(ticket.open_time.as_ref(), ticket.close_time.as_ref())) " by " bdi { (words::actor(ticket.closed_by.as_ref())) } }
                    }
                    @if let Some(first) = ticket.metrics.as_ref().and_then(|metrics| metrics.first_response.as_ref()) {
                        dt { "answered" } dd { "after " (words::duration(Some(first))) }
                    }
                }
            }
        }
    }
}

/// What makes a form be done once, however often it is sent.
pub(crate) fn command() -> Markup {
    html! { input type="hidden" name="command" value=(nuid::next().as_str()); }
}

fn presence(agent: &v1::Agent) -> &'static str {
    match agent.presence.as_ref().map(v1::Presence::state) {
        Some(v1::presence::State::Online) => " · online",
        Some(v1::presence::State::Away) => " · away",
        _ => "",
    }
}

/// "#3 refund"
fn label(ticket: &v1::Ticket) -> String {
    format!("{} {}", words::number(&ticket.id), ticket.topic).trim_end().to_owned()
}

/// The topics that this conversation has had.
fn topics(lanes: &Lanes) -> Vec<&str> {
    let mut topics: Vec<&str> =
        lanes.tickets().iter().map(|ticket| ticket.topic.as_str()).filter(|topic| !topic.is_empty()).collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

/// All about a ticket in a few lines, for whoever points at its bracket.
pub(crate) fn summary(ticket: &v1::Ticket, staff: &Staff, who: &Who) -> String {
    let nested = if ticket.primary_id.is_empty() {
        String::new()
    } else {
        format!(", nested in {}", words::number(&ticket.primary_id))
    };
    let mut lines = vec![format!("{} {}{nested}", words::number(&ticket.id), words::called(&ticket.topic, "no topic"))];
    let opened = words::minute(ticket.open_time.as_ref(), &who.zone);
    lines.push(format!("Opened by {}, {opened}", words::actor(ticket.opened_by.as_ref())));
    if ticket.state() == State::Closed {
        let lasted = words::between(ticket.open_time.as_ref(), ticket.close_time.as_ref());
        lines.push(format!("Closed by {} after {lasted}", words::actor(ticket.closed_by.as_ref())));
    } else {
        lines.push("Open".to_owned());
    }
    let first = ticket.metrics.as_ref().and_then(|metrics| metrics.first_response.as_ref());
    lines.push(match first {
        Some(first) => format!("First response after {}", words::duration(Some(first))),
        None => "No agent has answered in it".to_owned(),
    });
    let assignee = staff.assignee(ticket.assignee.as_ref());
    if !assignee.is_empty() {
        lines.push(format!("Assigned to {assignee}"));
    }
    lines.join("\n")
}
