use std::time::Duration;

/// A length of time as people write it: `90s`, `10m`, `1h30m`, `24h`, `7d`.
///
/// # Errors
/// What would be right.
pub(super) fn length(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no length of time: write it like 30s, 10m, 1h30m, 24h or 7d");
    let mut rest = text;
    let mut total: u64 = 0;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |end| digits + end);
        let unit = match &rest[digits..end] {
            "d" => 86_400_000,
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1000,
            "ms" => 1,
            _ => return Err(wrong()),
        };
        if unit >= last {
            return Err(wrong());
        }
        last = unit;
        total = number.checked_mul(unit).and_then(|millis| total.checked_add(millis)).ok_or_else(wrong)?;
        rest = &rest[end..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(Duration::from_millis(total)) }
}

/// A length of time as people write it: the shortest form that says it.
pub fn length_text(length: Duration) -> String {
    let mut rest = length.as_millis();
    let mut text = String::new();
    for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")] {
        if rest >= unit {
            text += &format!("{}{name}", rest / unit);
            rest %= unit;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}
