use crate::{Mark, Metrics, Nanos, Span, Stamp, Window, place::Place};

/// A window for every opened stamp, up to the next closed stamp of the same ticket.
pub(crate) fn windows(conversation: &str, stamps: &[(Place, &Stamp)]) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for (opened_at, opening) in stamps {
        let Mark::Opened { ticket, primary, topic } = &opening.mark else { continue };
        if windows.iter().any(|window| window.id == *ticket) {
            continue;
        }
        let closing = closing(stamps, ticket, *opened_at);
        windows.push(Window {
            id: ticket.clone(),
            conversation: conversation.to_owned(),
            primary: primary.clone(),
            topic: topic.clone(),
            opener: opening.actor.clone(),
            closer: closing.map(|(_, stamp)| stamp.actor.clone()),
            open_time: opening.time,
            close_time: closing.map(|(_, stamp)| stamp.time),
            open_revision: opened_at.revision,
            close_revision: closing.map(|(place, _)| place.revision),
            assignee: owner(stamps, end_of(closing)).map(|span| span.assignee),
            assignments: assignments(stamps, *opened_at, opening.time, closing),
            metrics: Metrics::default(),
        });
    }
    windows
}

/// From the opened stamp to the closed stamp by their places in the log, both among what lies in the window.
pub(crate) fn is_open_at(window: &Window, place: Place, stamps: &[(Place, &Stamp)]) -> bool {
    let opens = |stamp: &Stamp| matches!(&stamp.mark, Mark::Opened { ticket, .. } if *ticket == window.id);
    let Some((opened_at, _)) = stamps.iter().find(|(_, stamp)| opens(stamp)) else { return false };
    *opened_at <= place && place <= end_of(closing(stamps, &window.id, *opened_at))
}

/// [open_time, close_time).
pub(crate) fn holds(window: &Window, instant: Nanos) -> bool {
    window.open_time <= instant && window.close_time.is_none_or(|close| instant < close)
}

/// Who owns the conversation just before a place, and since when: the last word on it counts.
pub(crate) fn owner(stamps: &[(Place, &Stamp)], before: Place) -> Option<Span> {
    let (_, last) = stamps.iter().rfind(|(place, stamp)| *place < before && is_about_owner(stamp))?;
    let Mark::Assigned(assignee) = &last.mark else { return None };
    Some(Span { assignee: assignee.clone(), actor: last.actor.clone(), start: last.time, end: None })
}

fn is_about_owner(stamp: &Stamp) -> bool {
    matches!(stamp.mark, Mark::Assigned(_) | Mark::Unassigned)
}

/// The closed stamp of a ticket.
fn closing<'a>(stamps: &[(Place, &'a Stamp)], id: &str, opened_at: Place) -> Option<(Place, &'a Stamp)> {
    let closes = |stamp: &Stamp| matches!(&stamp.mark, Mark::Closed { ticket } if ticket == id);
    stamps.iter().find(|(place, stamp)| *place > opened_at && closes(stamp)).copied()
}

fn end_of(closing: Option<(Place, &Stamp)>) -> Place {
    closing.map_or(Place::END, |(place, _)| place)
}

/// Who owns the conversation when the window opens, and everybody who takes it before the window closes.
fn assignments(
    stamps: &[(Place, &Stamp)],
    opened_at: Place,
    open_time: Nanos,
    closing: Option<(Place, &Stamp)>,
) -> Vec<Span> {
    let inherited = owner(stamps, opened_at).map(|span| Span { start: open_time, ..span });
    let mut spans: Vec<Span> = inherited.into_iter().collect();
    let inside = |place: Place| opened_at < place && place < end_of(closing);
    for (_, stamp) in stamps.iter().filter(|(place, stamp)| inside(*place) && is_about_owner(stamp)) {
        end_last(&mut spans, stamp.time);
        if let Mark::Assigned(assignee) = &stamp.mark {
            let (assignee, actor) = (assignee.clone(), stamp.actor.clone());
            spans.push(Span { assignee, actor, start: stamp.time, end: None });
        }
    }
    if let Some((_, closing)) = closing {
        end_last(&mut spans, closing.time);
    }
    spans
}

fn end_last(spans: &mut [Span], time: Nanos) {
    if let Some(last) = spans.last_mut() {
        last.end = last.end.or(Some(time));
    }
}
