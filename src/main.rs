//! The edge of the process.

use std::{panic, process::ExitCode};

use confluent_ebs::{commands, exit, render};

fn main() -> ExitCode {
    panic::set_hook(Box::new(render::error::print_panic));
    // Whatever panicked has been reported by the hook.
    panic::catch_unwind(|| commands::main(std::env::args_os()))
        .unwrap_or(exit::ExitCode::Failed)
        .into()
}
