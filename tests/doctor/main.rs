//! `doctor` from outside: the binary in a sealed home, with folders of programs of its own, on the embedded Confluent
//! Cloud, and against services that answer as told.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/inspected.rs"]
mod inspected;
mod rig;

mod assumptions;
mod bundle;
mod installation;
mod sandbox;
mod service;
