//! Bots as processes of their own, on a real nats-server.

mod killing;
mod town;
