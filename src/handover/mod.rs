//! Where secrets go: files that only their owner can read, or only their recipients, proved before they get their final
//! name; commands that take them from there; and evidence, which holds no secret and is made to be kept.

pub mod age;
pub mod command;
pub mod evidence;
pub mod sink;
pub mod words;

pub use age::AgeError;
pub use command::{CommandError, HandoverCommand, Parcel};
pub use evidence::{Evidence, EvidenceKey};
pub use sink::{Contents, Place, Recipients, Sink, SinkError};
pub use words::WordsError;
