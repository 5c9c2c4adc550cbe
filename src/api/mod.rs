//! Wire types: one module per API group with types, routes and endpoints. The client and the sandbox share them, so a
//! route cannot differ between the two. The modules contain no I/O and no async code.
//!
//! The contract is the OpenAPI documents of confluentinc/ccloud-sdk-go-v2. Where docs/reference names a newer source,
//! the comment of the field refers to it. Parsers are tolerant: they ignore unknown fields and keep unknown enum values
//! as text.

pub mod cmk;
pub mod common;
pub mod connect;
pub mod endpoint;
pub mod errors;
pub mod iam;
pub mod kafka;
pub mod mds;
pub mod kafka_quotas;
pub mod keys;
pub mod logs;
pub mod metrics;
pub mod org;
pub mod quota;
pub mod srcm;

use common::insert_offsets;
pub use common::{List, ListMeta, ObjectMeta, ObjectReference};
pub use endpoint::{Endpoint, Paged, RetrySafety, encode_segment, expand_route};
pub use errors::{ErrorBody, parse_error};
