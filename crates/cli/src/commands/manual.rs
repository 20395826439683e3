//! `halflight completions` and `halflight man`: what shells and `man` are told about the verbs.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use serde_json::json;

use crate::Halflight;
use crate::console::Console;
use crate::files;

/// Prints the script by which a shell completes verbs and options.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    halflight completions bash > ~/.local/share/bash-completion/completions/halflight\n  \
    halflight completions fish > ~/.config/fish/completions/halflight.fish\n  \
    halflight completions zsh > ~/.zfunc/_halflight")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Halflight::command(), "halflight", &mut script);
        let script = String::from_utf8(script)?;
        console.result(&json!({ "shell": self.shell.to_string(), "script": script }), || script.trim_end().to_owned())
    }
}

/// Writes a manual page for each verb.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight man --out ~/.local/share/man/man1 && man halflight-token-new")]
pub struct Man {
    /// Folder for the pages, made if it is missing
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
}

impl Man {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let mut command = Halflight::command().disable_help_subcommand(true);
        command.build();
        let pages = pages(&command)?;
        std::fs::create_dir_all(&self.out).with_context(|| self.out.display().to_string())?;
        for (name, page) in &pages {
            files::write(&self.out.join(name), page)?;
        }
        let names: Vec<&String> = pages.iter().map(|(name, _)| name).collect();
        console.result(&json!({ "folder": self.out, "pages": names }), || format!("{} pages", pages.len()))
    }
}

/// The page of a command, then those of what is under it.
fn pages(command: &Command) -> Result<Vec<(String, Vec<u8>)>> {
    let man = clap_mangen::Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    let mut all = vec![(man.get_filename(), page)];
    for verb in command.get_subcommands() {
        all.extend(pages(verb)?);
    }
    Ok(all)
}
