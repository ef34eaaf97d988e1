//! Nothing: this package is its tests, of all services together on a real nats-server. See `tests/system`.
