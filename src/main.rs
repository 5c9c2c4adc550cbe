//! Entry point of the process.

use std::{panic, process::ExitCode};

use confluent_ebs::{commands, exit, render};

fn main() -> ExitCode {
    panic::set_hook(Box::new(render::error::print_panic));
    // The panic hook has already reported the panic.
    panic::catch_unwind(|| commands::main(std::env::args_os()))
        .unwrap_or(exit::ExitCode::Failed)
        .into()
}
