//! `halflight authority ceremony again`.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use roles::ceremony::{MailFolder, ServerCard, Transcript};
use service::board::MESSAGES;

use super::{publish, read};
use crate::console::Console;

/// Writes the definition of a second attempt at a ceremony that did not end: the same servers on the same terms, with a
/// new session and another clerk. Use it if the clerk is gone, or a dealer withheld a share. Nothing of the first
/// attempt counts in it; servers join it with a new home, and, if shares are renewed, with the same shares.
#[derive(Args)]
#[command(after_help = "Examples:\n  halflight authority ceremony again --ceremony ceremony --out second\n  \
    halflight authority ceremony again --ceremony renewal --without west --clerk south --out second")]
pub struct Again {
    /// Folder of the ceremony that did not end
    #[arg(long, value_name = "FOLDER")]
    ceremony: PathBuf,
    /// Server that ends the steps [default: the one after the last clerk]
    #[arg(long, value_name = "NAME")]
    clerk: Option<String>,
    /// Server that withheld a share: its dealing is excluded, and it still receives a share; may be given several times
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// Folder of the second attempt
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
}

impl Again {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let first = read(&self.ceremony)?;
        // Otherwise two sharings of one epoch would be in use at once.
        if Transcript::gather(&first, &MailFolder::new(self.ceremony.join(MESSAGES))?)?.is_some() {
            bail!(
                "{}: this ceremony has ended; a server without a share can join it again, or take part in a renewal",
                self.ceremony.display()
            );
        }
        let index = |servers: &[ServerCard], flag: &str, name: &str| {
            let place = servers.iter().position(|server| server.name == name);
            place.map(|place| place as u16 + 1).ok_or_else(|| anyhow!("{flag} {name}: no server has this name"))
        };
        let left_out = self.without.iter().map(|name| index(first.dealers(), "--without", name));
        let mut without = left_out.collect::<Result<Vec<u16>>>()?;
        without.extend(first.without());
        without.sort_unstable();
        without.dedup();
        let clerk = match &self.clerk {
            Some(name) => index(first.servers(), "--clerk", name)?,
            None => first.clerk_index() % first.servers().len() as u16 + 1,
        };
        publish(&first.again(clerk, without)?, &self.out, console)
    }
}
