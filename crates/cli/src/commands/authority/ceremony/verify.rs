//! `halflight authority ceremony verify`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use qfe::shares::ceremony::{Blame, Fault};
use roles::PUBLIC_KEY;
use roles::ceremony::{MAX_TRANSCRIPT_BYTES, Transcript, Verified};
use serde_json::json;

use crate::console::Console;
use crate::{files, keys};

/// Recomputes the public key and the commitments from the messages of a ceremony, and checks every signature, dealing
/// and complaint, and that all but the threshold of the servers signed for the result. It needs no secret.
///
/// Compare the printed keys with those that the institutions publish: a transcript of strangers verifies as well.
#[derive(Args)]
#[command(after_help = "Examples:\n  halflight authority ceremony verify transcript --parameters authority/public\n  \
    halflight authority ceremony verify first/transcript renewal/transcript --out parameters")]
pub struct Verify {
    /// Transcript; for a renewed key all of them, oldest first
    #[arg(required = true, value_name = "FILE")]
    transcripts: Vec<PathBuf>,
    /// Folder with the public key that owners use: it must be the one that the ceremony made
    #[arg(long, value_name = "FOLDER")]
    parameters: Option<PathBuf>,
    /// Folder for the recomputed public.key and commitments
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Verify {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let mut last: Option<Verified> = None;
        for path in &self.transcripts {
            let verified = verified(path)?;
            if let Some(before) = &last {
                verified.follows(before).with_context(|| path.display().to_string())?;
            }
            last = Some(verified);
        }
        let verified = last.context("no transcript was named")?;
        let (key, whole) = (verified.key()?, verified.definition.holders().is_empty() || self.transcripts.len() > 1);
        if let Some(folder) = &self.parameters {
            let used = keys::public_key(&folder.join(PUBLIC_KEY))?;
            if used.id() != key.public().id() {
                bail!("{}: public key {}, but the ceremony made {}", folder.display(), used.id(), key.public().id());
            }
        }
        if let Some(folder) = &self.out {
            files::check_folder(folder, &[PUBLIC_KEY, roles::COMMITMENTS], false)?;
            std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
            key.write(folder)?;
        }
        if !whole {
            console.warn("these shares were renewed: give the earlier transcripts too, to see how the key was made");
        }
        report(&verified, whole, console)
    }
}

/// What a transcript proves.
fn verified(path: &Path) -> Result<Verified> {
    let transcript = Transcript::from_bytes(&files::read(path, MAX_TRANSCRIPT_BYTES)?);
    transcript.and_then(|transcript| transcript.verify()).with_context(|| path.display().to_string())
}

fn report(verified: &Verified, whole: bool, console: &Console) -> Result<()> {
    let (definition, outcome) = (&verified.definition, &verified.outcome);
    let (id, epoch) = (outcome.public.id().to_string(), outcome.commitments.seat().epoch);
    let servers = definition.servers();
    let machine: Vec<_> = servers
        .iter()
        .map(|server| {
            let endorsed = verified.endorsed.contains(&server.name);
            json!({ "name": server.name, "key": server.key, "recipient": server.recipient, "endorsed": endorsed })
        })
        .collect();
    let blamed = blamed(verified);
    console.result(
        &json!({
            "valid": true, "session": verified.session, "public_key": id, "epoch": epoch,
            "threshold": definition.threshold(), "servers": machine, "blamed": blamed, "from_the_beginning": whole,
        }),
        || {
            let mut text = format!(
                "public key {id}, epoch {epoch}: {} of {} servers issue together\nsession {}\n",
                definition.threshold() + 1,
                servers.len(),
                verified.session
            );
            for server in servers {
                let signed = if verified.endorsed.contains(&server.name) { "signed" } else { "did not sign" };
                text += &format!("{} {signed}: {}\n", server.name, server.key);
            }
            blamed.iter().for_each(|line| text += &format!("{line}\n"));
            text.trim_end().to_owned()
        },
    )
}

/// Who was disqualified, in words.
pub(super) fn blamed(verified: &Verified) -> Vec<String> {
    let (dealers, receivers) = (verified.definition.dealers(), verified.definition.servers());
    let name = |servers: &[roles::ceremony::ServerCard], index: u16| {
        servers.get(usize::from(index) - 1).map_or_else(String::new, |server| server.name.clone())
    };
    let line = |Blame { server, fault }: &Blame| {
        let what = match fault {
            Fault::Silent => "sent nothing in time".to_owned(),
            Fault::Commitment => "dealt something else than its commitment".to_owned(),
            Fault::Shape => "sent something that is not a dealing of this ceremony".to_owned(),
            Fault::Proof => "did not prove that it knows its secret".to_owned(),
            Fault::OtherShare => "did not deal its own share".to_owned(),
            Fault::WrongShare { receiver } => format!("signed a wrong share for {}", name(receivers, *receiver)),
            _ => "is disqualified".to_owned(),
        };
        format!("{} was left out: it {what}", name(dealers, *server))
    };
    verified.outcome.blamed.iter().map(line).collect()
}
