//! What is done to the system while it is measured.

pub(crate) mod dice;
