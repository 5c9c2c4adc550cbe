//! `doctor` as a process: in a sealed home with its own program folders, with the sandbox, and with scripted services.

#[path = "../common/mod.rs"]
mod common;
mod report;

mod assumptions;
mod bundle;
mod installation;
mod sandbox;
mod service;
