//! The `halflight` command: a neural network, half in the dark.

mod commands;
mod console;
mod encoder;
mod files;
mod keys;
mod passphrase;
mod remedy;

use std::process::ExitCode;

use clap::Parser;

use commands::Command;
use console::Console;

/// Private neural networks by functional encryption: draw, train, compile, audit, issue, encrypt, predict.
#[derive(Parser)]
#[command(version, after_help = "Begin with:\n  halflight demo")]
struct Halflight {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON object on stdout; progress stays on stderr
    #[arg(long, global = true)]
    json: bool,
    /// No progress on stderr
    #[arg(long, short, global = true)]
    quiet: bool,
}

fn main() -> ExitCode {
    let arguments = Halflight::parse();
    match arguments.command.run(&Console::new(arguments.json, arguments.quiet)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}{}", remedy::told(&error), remedy::flags(&error));
            ExitCode::FAILURE
        }
    }
}
