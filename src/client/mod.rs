//! Sending: one place that talks to Confluent Cloud, through a transport.

pub mod transport;

pub use transport::{Transport, TransportError};
