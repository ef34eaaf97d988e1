//! The wire: generated types of `threadmark.v1`, and their conversions to and from the domain.

/// The generated messages, clients and servers.
#[allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, missing_docs)]
pub mod v1 {
    tonic::include_proto!("threadmark.v1");
}

/// The descriptors of everything in `proto/`, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/threadmark.bin"));
