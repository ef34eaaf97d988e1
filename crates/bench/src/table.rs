//! The one table.

use std::fmt;

use serde_json::{Value, json};

use crate::measure::Pairs;

/// What was measured, and under which conditions.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    conditions: Vec<String>,
    lines: Vec<Line>,
}

/// One figure.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    section: &'static str,
    what: String,
    unit: Unit,
    ours: f64,
    bare: Option<f64>,
    ratio: Option<f64>,
    target: Option<Target>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    PerSecond,
    Milliseconds,
    Megabytes,
    Kilobytes,
}

/// What a figure ought to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// Ours by bare: at least.
    RatioFrom(f64),
    /// Ours by bare: at most.
    RatioTo(f64),
    /// Ours: at least.
    From(f64),
    /// Ours: at most.
    To(f64),
}

impl Line {
    /// A figure of ours alone.
    pub(crate) fn alone(section: &'static str, what: impl Into<String>, unit: Unit, ours: f64) -> Line {
        Line { section, what: what.into(), unit, ours, bare: None, ratio: None, target: None }
    }

    /// A figure beside the bare one.
    pub(crate) fn beside(section: &'static str, what: impl Into<String>, unit: Unit, pairs: &Pairs) -> Line {
        let (bare, ratio) = (Some(pairs.bare()), Some(pairs.ratio()));
        Line { bare, ratio, ..Line::alone(section, what, unit, pairs.ours()) }
    }

    pub(crate) fn target(self, target: Target) -> Line {
        Line { target: Some(target), ..self }
    }

    /// Whether the target is met; `None` without one.
    fn met(&self) -> Option<bool> {
        Some(match self.target? {
            Target::RatioFrom(least) => self.ratio? >= least,
            Target::RatioTo(most) => self.ratio? <= most,
            Target::From(least) => self.ours >= least,
            Target::To(most) => self.ours <= most,
        })
    }

    fn json(&self) -> Value {
        json!({
            "section": self.section,
            "what": self.what,
            "unit": self.unit.name(),
            "ours": self.ours,
            "bare": self.bare,
            "ratio": self.ratio,
            "target": self.target.map(|target| target.to_string()),
            "met": self.met(),
        })
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::PerSecond => "/s",
            Unit::Milliseconds => "ms",
            Unit::Megabytes => "MB",
            Unit::Kilobytes => "kB",
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Unit::Milliseconds if value < 100.0 => format!("{value:.2} ms"),
            _ => format!("{} {}", grouped(value), self.name()),
        }
    }
}

impl Table {
    pub(crate) fn new(conditions: Vec<String>) -> Table {
        Table { conditions, lines: Vec::new() }
    }

    pub(crate) fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Lines of one section together, the first of them with its name.
    fn by_section(&self) -> Vec<(Option<&str>, &Line)> {
        let mut sections: Vec<&str> = Vec::new();
        for line in &self.lines {
            if !sections.contains(&line.section) {
                sections.push(line.section);
            }
        }
        let of = |section| self.lines.iter().filter(move |line| line.section == section);
        let named = |section| of(section).enumerate().map(move |(nth, line)| ((nth == 0).then_some(section), line));
        sections.into_iter().flat_map(named).collect()
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "conditions": self.conditions, "lines": self.lines.iter().map(Line::json).collect::<Vec<_>>() })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::RatioFrom(least) => write!(f, "≥ {least}x"),
            Target::RatioTo(most) => write!(f, "≤ {most}x"),
            Target::From(least) => write!(f, "≥ {}", grouped(*least)),
            Target::To(most) => write!(f, "≤ {most}"),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for condition in &self.conditions {
            writeln!(f, "{condition}")?;
        }
        let width = self.lines.iter().map(|line| line.what.chars().count() + 2).max().unwrap_or(0);
        writeln!(f, "\n{:width$} {:>12} {:>12} {:>8}  target", "", "ours", "bare", "ratio")?;
        for (section, line) in self.by_section() {
            if let Some(section) = section {
                writeln!(f, "{section}")?;
            }
            let what = format!("  {}", line.what);
            let bare = line.bare.map(|bare| line.unit.show(bare)).unwrap_or_default();
            let ratio = line.ratio.map(|ratio| format!("{ratio:.2}x")).unwrap_or_default();
            let target = line.target.map(|target| target.to_string()).unwrap_or_default();
            let mark = match line.met() {
                Some(true) => "✓",
                Some(false) => "✗",
                None => "",
            };
            let row =
                format!("{what:width$} {:>12} {bare:>12} {ratio:>8}  {target:7} {mark}", line.unit.show(line.ours));
            writeln!(f, "{}", row.trim_end())?;
        }
        Ok(())
    }
}

/// A whole number with its thousands apart.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(["1", "12,345", "1,000,000"], [1.0, 12_345.4, 1e6].map(grouped).each_ref().map(String::as_str));
    }

    #[test]
    fn a_target_is_met_or_not() {
        let mut pairs = Pairs::default();
        pairs.push(6.0, 10.0);
        let line = Line::beside("s", "w", Unit::PerSecond, &pairs);
        assert_eq!(line.clone().met(), None);
        assert_eq!(line.clone().target(Target::RatioFrom(0.7)).met(), Some(false));
        assert_eq!(line.clone().target(Target::RatioTo(3.0)).met(), Some(true));
        assert_eq!(line.clone().target(Target::From(7.0)).met(), Some(false));
        assert_eq!(line.clone().target(Target::From(6.0)).met(), Some(true));
        assert_eq!(line.target(Target::To(6.0)).met(), Some(true));
    }
}
