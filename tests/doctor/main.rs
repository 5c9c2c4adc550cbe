//! `doctor` from outside: the binary in a sealed home, with folders of programs of its own, on the embedded Confluent
//! Cloud, and against services that answer as told.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/tls_inspection.rs"]
mod tls_inspection;
mod doctor_fixture;

mod assumptions;
mod bundle;
mod installation;
mod sandbox;
mod service;
