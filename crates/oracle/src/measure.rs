use crate::{
    Kind, Line, Metrics, Nanos, Shown, Window,
    place::{Item, Source},
};

/// What the live entries in a window come to. A message answers when it was recorded; back-filled ones are measured
/// no more than late ones, whatever they say about their time.
pub(crate) fn measure(window: &Window, placed: &[(&Item, Line)]) -> Metrics {
    let inside: Vec<&(&Item, Line)> =
        placed.iter().filter(|(item, line)| measured(item) && line.tickets.contains(&window.id)).collect();
    let after_opening = |time: Nanos| time.saturating_sub(window.open_time).max(0);
    let first = |says: &dyn Fn(&Item) -> bool| {
        let found = inside.iter().find(|(item, line)| matches!(line.shown, Shown::Outbound(_)) && says(item));
        found.map(|(item, _)| after_opening(item.record))
    };
    let count = |which: fn(&Shown) -> bool| {
        u32::try_from(inside.iter().filter(|(_, line)| which(&line.shown)).count()).unwrap_or(u32::MAX)
    };
    Metrics {
        first_response: first(&|item| item.source == Source::Echo || item.actor.kind == Kind::Agent),
        first_bot_response: first(&|item| item.source == Source::Decision && item.actor.kind == Kind::Bot),
        resolution: window.close_time.map(after_opening),
        inbound_count: count(|shown| matches!(shown, Shown::Inbound(_))),
        outbound_count: count(|shown| matches!(shown, Shown::Outbound(_))),
    }
}

fn measured(item: &Item) -> bool {
    !item.late && item.source != Source::BackFill
}
