//! What every service shares: configuration, telemetry, gRPC serving with health and reflection, statuses that say
//! what to do, supervised tasks and an orderly end.

pub mod access;
mod allocator;
pub mod config;
mod grpc;
mod grpc_meter;
mod hours;
mod metrics;
pub mod outbound;
pub mod page_token;
mod secret;
mod shutdown;
pub mod status;
mod supervise;
mod telemetry;
mod tls;
mod traces;
mod unreadable;

pub use access::Doors;
pub use config::{Config, is_workspace_name};
pub use grpc::{Grpc, GrpcError, Health, MAX_REQUEST_BYTES};
pub use hours::{BusinessHours, Hours};
pub use metrics::{MetricsError, serve_metrics};
pub use secret::Secret;
pub use shutdown::{GRACE, Shutdown};
pub use supervise::Supervisor;
pub use telemetry::init as init_telemetry;
pub use tls::Certificates;
pub use traces::{Traces, init as init_traces};
