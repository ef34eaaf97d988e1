use std::fmt;

/// The W3C `traceparent` that an event carries, so that one trace leads from webhook to stamp to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent(String);

impl TraceParent {
    /// Name of the header, on HTTP, gRPC and NATS alike.
    pub const HEADER: &'static str = "traceparent";

    /// Takes the version 00 form: `00-<32 hex>-<16 hex>-<2 hex>`; `None` for anything else.
    pub fn parse(text: &str) -> Option<TraceParent> {
        let parts: Vec<&str> = text.split('-').collect();
        let hex = |part: &str, len: usize| part.len() == len && part.bytes().all(|b| b.is_ascii_hexdigit());
        match parts.as_slice() {
            ["00", trace, span, flags] if hex(trace, 32) && hex(span, 16) && hex(flags, 2) => {
                Some(TraceParent(text.to_ascii_lowercase()))
            }
            _ => None,
        }
    }

    /// The start of a new trace.
    pub fn start() -> TraceParent {
        let bytes: [u8; 24] = crate::seal::random();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        TraceParent(format!("00-{}-{}-01", &hex[..32], &hex[32..48]))
    }

    /// The id that all of a trace share: 32 hex digits.
    pub fn trace_id(&self) -> &str {
        &self.0[3..35]
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::TraceParent;

    #[test]
    fn takes_what_it_makes_and_nothing_else() {
        let made = TraceParent::start();
        assert_eq!(TraceParent::parse(made.as_str()), Some(made));
        for bad in ["", "00-1-2-3", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }
}
