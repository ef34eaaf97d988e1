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
            a.button.quiet.onlyphone href="#main" { (self.who.t("Back to the chat")) }
            section.stack {
                h2 { (self.who.t("Who has it")) }
                (self.holder())
                (self.give())
            }
            section.stack {
                h2 { (self.who.t("Tickets")) }
                (self.open())
                (self.tickets())
            }
            section.stack {
                h2 { (self.who.t("Tags")) }
                (self.tags())
            }
            @if !self.rules.is_empty() {
                section.stack {
                    h2 { (self.who.t("Shortcuts")) }
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
        let who = self.who;
        let take = if held { who.t("Assign to me") } else { who.t("Take over from the bot") };
        let back = match conversation.open_ticket_count {
            0 => who.t("Hand back to the bot").to_owned(),
            open => who.fill("Close {} and hand back to the bot", &[&open.to_string()]),
        };
        html! {
            @if !mine {
                form method="post" action=(self.to("mine")) data-act="" data-pending=(who.fill("Assigned to {}", &[&who.name])) { (command()) button #mine { (take) } }
            }
            form method="post" action=(self.to("assign")) data-act="" {
                (command())
                label { (who.t("Give it to"))
                    select name="assignee" required {
                        option value="" { "…" }
                        optgroup label=(who.t("Teams")) { @for team in &self.staff.teams { option value={ "team:" (team.id) } { (words::called(&team.display_name, &team.id)) } } }
                        optgroup label=(who.t("Agents")) { @for agent in &self.staff.agents { option value={ "agent:" (agent.id) } { (words::called(&agent.display_name, &agent.id)) (presence(who, agent)) } } }
                    }
                }
                button.quiet { (who.t("Assign")) }
            }
            div.line {
                @if conversation.assignee.is_some() {
                    form method="post" action=(self.to("unassign")) data-act="" data-pending=(who.t("Unassigned")) { (command()) button.quiet { (who.t("Unassign")) } }
                }
                @if held {
                    form method="post" action=(self.to("hand-back")) data-act="" { (command()) button.quiet { (back) } }
                } @else {
                    form method="post" action=(self.to("pause")) data-act="" { (command()) button.quiet { (who.t("Pause the bot")) } }
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
                form method="post" action=(self.to("close")) data-act="" data-pending=(self.who.fill("Ticket closed by {}", &[&self.who.name])) {
                    (command())
                    input type="hidden" name="ticket" value=(ticket.id);
                    button.danger id=[(newest == Some(ticket.id.as_str())).then_some("close")] { (self.who.t("Close")) " " bdi { (label(ticket)) } }
                    @if !nested.is_empty() { span.hint { (self.who.t("with")) " " bdi { (nested.join(", ")) } } }
                }
            }
            form method="post" action=(self.to("open")) data-act="" data-pending=(self.who.fill("Ticket opened by {}", &[&self.who.name])) {
                (command())
                label { (if open.is_empty() { self.who.t("Topic") } else { self.who.t("Topic of a nested ticket") }) input #topic name="topic" maxlength="256" dir="auto" list="topics"; }
                button.quiet { (self.who.t("Open")) }
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
                            form method="post" action=(self.to("untag")) data-act="" { (command()) input type="hidden" name="tag" value=(tag); button aria-label=(self.who.fill("Remove the tag {}", &[tag])) { "×" } }
                        }
                    }
                }
            }
            form method="post" action=(self.to("tag")) data-act="" { (command()) label { (self.who.t("Tag")) input name="tag" maxlength="64" required dir="auto"; } button.quiet { (self.who.t("Add")) } }
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
        let assignee = self.staff.assignee(conversation.assignee.as_ref(), self.who.zone.lang);
        html! {
            p.holder {
                @if !assignee.is_empty() {
                    (page::face(&assignee)) " " (self.who.t("Assigned to")) " " b { bdi { (assignee) } }
                } @else if conversation.open_ticket_count > 0 {
                    span.dot.warn {} " " (self.who.t("A ticket is open and nobody has it"))
                } @else if conversation.bot_paused {
                    span.dot.warn {} " " (self.who.t("Nobody has it, and the bot is paused"))
                } @else {
                    span.dot.calm {} " " (self.who.t("The bot has it"))
                }
            }
        }
    }

    fn tickets(&self) -> Markup {
        let newest = self.lanes.tickets().iter().rev();
        html! {
            @if self.lanes.tickets().is_empty() { p.hint { (self.who.t("No ticket yet.")) } }
            ol.cards {
                @for ticket in newest.take(SHOWN) { (self.card(ticket)) }
            }
            @if self.lanes.tickets().len() > SHOWN { p.hint { (self.who.fill("{} older ones stand in the rail above the chat.", &[&(self.lanes.tickets().len() - SHOWN).to_string()])) } }
        }
    }

    fn card(&self, ticket: &v1::Ticket) -> Markup {
        let (open, number) = (ticket.state() == State::Open, ordinal(&ticket.id));
        let who = self.who;
        html! {
            li.card .open[open] .nested[!ticket.primary_id.is_empty()] id={ "card" (number) } data-t=(number) data-about=(summary(ticket, self.staff, self.who)) {
                a href={ "/c/" (ticket.conversation_id) "?ticket=" (number) "#t" (number) } data-jump=(number) {
                    b { (words::number(&ticket.id)) } " " bdi { (words::called(&ticket.topic, who.t("no topic"))) }
                }
                span.state { (if open { who.t("open") } else { who.t("closed") }) }
                dl {
                    dt { (who.t("opened")) } dd { (words::minute(ticket.open_time.as_ref(), &who.zone)) " " (who.t("by")) " " bdi { (words::actor(ticket.opened_by.as_ref(), who.zone.lang)) } }
                    @if !open {
                        dt { (who.t("closed")) } dd { (who.t("after")) " " (words::between(ticket.open_time.as_ref(), ticket.close_time.as_ref(), who.zone.lang)) " " (who.t("by")) " " bdi { (words::actor(ticket.closed_by.as_ref(), who.zone.lang)) } }
                    }
                    @if let Some(first) = ticket.metrics.as_ref().and_then(|metrics| metrics.first_response.as_ref()) {
                        dt { (who.t("answered")) } dd { (who.t("after")) " " (words::duration(Some(first), who.zone.lang)) }
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

fn presence(who: &Who, agent: &v1::Agent) -> &'static str {
    match agent.presence.as_ref().map(v1::Presence::state) {
        Some(v1::presence::State::Online) => who.t(" · online"),
        Some(v1::presence::State::Away) => who.t(" · away"),
        _ => "",
    }
}

/// "#3 refund"
pub(crate) fn label(ticket: &v1::Ticket) -> String {
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
        who.fill(", nested in {}", &[&words::number(&ticket.primary_id)])
    };
    let mut lines =
        vec![format!("{} {}{nested}", words::number(&ticket.id), words::called(&ticket.topic, who.t("no topic")))];
    let opened = words::minute(ticket.open_time.as_ref(), &who.zone);
    lines.push(who.fill("Opened by {}, {}", &[words::actor(ticket.opened_by.as_ref(), who.zone.lang), &opened]));
    if ticket.state() == State::Closed {
        let lasted = words::between(ticket.open_time.as_ref(), ticket.close_time.as_ref(), who.zone.lang);
        lines.push(
            who.fill("Closed by {} after {}", &[words::actor(ticket.closed_by.as_ref(), who.zone.lang), &lasted]),
        );
    } else {
        lines.push(who.t("Open").to_owned());
    }
    let first = ticket.metrics.as_ref().and_then(|metrics| metrics.first_response.as_ref());
    lines.push(match first {
        Some(first) => who.fill("First response after {}", &[&words::duration(Some(first), who.zone.lang)]),
        None => who.t("No agent has answered in it").to_owned(),
    });
    let assignee = staff.assignee(ticket.assignee.as_ref(), who.zone.lang);
    if !assignee.is_empty() {
        lines.push(who.fill("Assigned to {}", &[&assignee]));
    }
    lines.join("\n")
}
