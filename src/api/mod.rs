//! The wire: one file per API group, with the types, the routes and the endpoints. No I/O and no async here, so the
//! client and the sandbox share it and a route cannot drift between them.
//!
//! Contract: the OpenAPI documents of confluentinc/ccloud-sdk-go-v2; where docs/reference names a newer source, the
//! field's comment says so. Readers are tolerant: unknown fields are ignored, unknown enum values are kept as text.

pub mod cmk;
pub mod common;
pub mod connect;
pub mod endpoint;
pub mod errors;
pub mod iam;
pub mod kafka;
pub mod mds;
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
