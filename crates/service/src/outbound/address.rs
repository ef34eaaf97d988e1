//! Which addresses a webhook may not lead to: what is reachable only from where we stand is not for a workspace to reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is anything but a public one: private, loopback, link-local, shared, multicast, reserved, and the
/// IPv6 forms that lead to such an IPv4 address.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => is_private_v6(v6),
    }
}

/// By IANA's registry of special-purpose addresses.
fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        // This network, multicast, reserved and broadcast.
        || a == 0
        || a >= 224
        // Shared between a provider and its customers.
        || (a == 100 && (64..128).contains(&b))
        // Protocol assignments, and benchmarks.
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_private_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // ::ffff:a.b.c.d and 64:ff9b::a.b.c.d
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        // 6to4
        [0x2002, high, low, ..] => embedded(high, low),
        // Protocol assignments (Teredo among them), and documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => true,
        [0x3fff, second, ..] if second < 0x1000 => true,
        // Nothing but 2000::/3 is global unicast.
        [first, ..] => first & 0xe000 != 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::is_private;

    #[test]
    fn only_public_addresses_are_public() {
        let private = "127.0.0.1 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 \
                       198.18.0.1 224.0.0.1 255.255.255.255 192.0.0.8 ::1 :: fe80::1 fc00::1 fd12::1 ff02::1 \
                       ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:7f00:1:: 2001:db8::1 2001:0:1::1 fec0::1";
        for address in private.split_whitespace() {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        let public = "8.8.8.8 1.1.1.1 172.32.0.1 100.128.0.1 192.0.1.1 198.20.0.1 223.255.255.255 \
                      2606:4700::1111 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::808:808";
        for address in public.split_whitespace() {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
