//! `halflight authority ceremony join`.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use roles::ceremony::{AttendError, Attendance, Concluded, Credentials, Definition, Mail, MailFolder, Waiting};
use roles::hash::Hash;
use roles::keyfile::Unlock;
use roles::{COMMITMENTS, PUBLIC_KEY, SHARE, ShareHolder};
use serde_json::json;
use service::board::{MESSAGES, RemoteMail};
use service::owner::{Connection, ConnectionOptions};
use service::signature::SigningKey;

use super::read;
use super::verify::blamed;
use crate::console::Console;
use crate::files;

/// Time between two looks for messages of others.
const PAUSE: Duration = Duration::from_millis(100);

/// Sends this server's messages to the ceremony's folder and reads those of the others, as far as possible now; run it
/// again when others have continued, or let it wait. It can stop at any moment: it keeps its dealing in its own folder,
/// sealed to its own identity, until the ceremony has ended. Then that folder holds `share.age`, the public part of the
/// key, and the transcript.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  halflight authority ceremony join --ceremony ceremony --key north.key --identity north.identity --home north\n  \
    halflight authority ceremony join --ceremony ceremony --key north.key --identity north.identity --home north \\\n    \
    --wait 86400 --patience 3600\n  \
    halflight authority ceremony join --ceremony renewal --key north.key --identity north.identity --share north --home north-2"
)]
pub struct Join {
    /// Folder of the ceremony, which all servers read and write
    #[arg(long, value_name = "FOLDER", required_unless_present = "board")]
    ceremony: Option<PathBuf>,
    /// Address of a board that keeps the messages instead, from `halflight serve board`
    #[arg(long, value_name = "URL", conflicts_with = "ceremony", requires = "session")]
    board: Option<String>,
    /// File with this server's bearer token for the board
    #[arg(long, value_name = "FILE", requires = "board")]
    token_file: Option<PathBuf>,
    /// Certificate authorities of the board, in PEM, instead of the public ones
    #[arg(long, value_name = "FILE", requires = "board")]
    server_authorities: Option<PathBuf>,
    /// This server's secret key, from `halflight keygen`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// This server's age identity, from `halflight keygen --identity`
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    /// Folder of this server alone, for its share
    #[arg(long, value_name = "FOLDER")]
    home: PathBuf,
    /// Folder with this server's current share, if shares are renewed
    #[arg(long, value_name = "FOLDER")]
    share: Option<PathBuf>,
    /// This server has lost its share, and takes part without one
    #[arg(long, conflicts_with = "share")]
    lost: bool,
    /// The session that was agreed on; any other is refused
    #[arg(long, value_name = "HASH")]
    session: Option<Hash>,
    /// Seconds to wait for others before giving up; the ceremony can be joined again
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
    /// Seconds after which a step continues without the missing messages [default: never]
    #[arg(long, value_name = "SECONDS")]
    patience: Option<u64>,
    /// Continue now without the missing messages
    #[arg(long)]
    late: bool,
}

impl Join {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let (definition, mail) = self.mail()?;
        let (key, unlock) = (SigningKey::load(&self.key)?, Unlock::load_identity(&self.identity)?);
        let share = self.share.as_ref().map(|folder| ShareHolder::load(folder, &unlock)).transpose();
        let share = share.context("the current share")?;
        let session = Hash(*definition.ceremony()?.session());
        if let Some(agreed) = self.session.filter(|agreed| *agreed != session) {
            bail!("the definition's session is {session}, not {agreed}: it is not the one that was agreed on");
        }
        let credentials = Credentials { key: &key, unlock: &unlock };
        let share = share.as_ref().map(ShareHolder::share);
        let mut attendance = Attendance::enter(definition, &*mail, credentials, &self.home, share, self.lost)?;
        console.step(&format!("session {session}"));
        match self.attend(&mut attendance, console)? {
            Ok(concluded) => self.report(&concluded, console),
            Err(waiting) => {
                let Waiting { step, missing } = waiting;
                console.result(&json!({ "ended": false, "session": session, "step": step, "missing": missing }), || {
                    format!("step {step} of 4: waiting for {}; join again when they have arrived", missing.join(", "))
                })
            }
        }
    }

    /// The definition, and the store of messages.
    fn mail(&self) -> Result<(Definition, Box<dyn Mail>)> {
        if let Some(folder) = &self.ceremony {
            let mail = MailFolder::new(folder.join(MESSAGES))?;
            return Ok((read(folder)?, Box::new(mail)));
        }
        let token = self.token_file.as_ref().map(|path| -> Result<String> {
            let text = String::from_utf8(files::read(path, 4096)?).with_context(|| path.display().to_string())?;
            Ok(text.trim().to_owned())
        });
        let connection = Connection::new(ConnectionOptions {
            url: self.board.clone().unwrap_or_default(),
            token: token.transpose()?,
            authorities: self.server_authorities.clone(),
            certificate: None,
        })?;
        let mail = RemoteMail::new(connection);
        let definition = mail.definition().map_err(|error| anyhow!("{error}"))?;
        Ok((definition, Box::new(mail)))
    }

    fn attend(&self, attendance: &mut Attendance<'_>, console: &Console) -> Result<Result<Box<Concluded>, Waiting>> {
        let begun = Instant::now();
        let (mut step, mut since) = (attendance.step(), Instant::now());
        loop {
            let over = self.patience.is_some_and(|patience| since.elapsed() >= Duration::from_secs(patience));
            let waiting = match attendance.advance(self.late || over) {
                Ok(Ok(concluded)) => return Ok(Ok(concluded)),
                Ok(Err(waiting)) => waiting,
                // Networks recover.
                Err(error @ AttendError::Mail { .. }) if begun.elapsed() < Duration::from_secs(self.wait) => {
                    console.warn(&error.to_string());
                    sleep(10 * PAUSE);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if self.wait == 0 {
                return Ok(Err(waiting));
            }
            if waiting.step != step {
                (step, since) = (waiting.step, Instant::now());
                console.step(&format!("step {step} of 4"));
            }
            if begun.elapsed() >= Duration::from_secs(self.wait) {
                let missing = waiting.missing.join(", ");
                bail!(
                    "step {step} of 4: {missing} did not arrive in {} seconds; join again, continue with --late, or \
                     define a second attempt with `authority ceremony again`",
                    self.wait
                );
            }
            sleep(PAUSE);
        }
    }

    fn report(&self, concluded: &Concluded, console: &Console) -> Result<()> {
        let Concluded { verified, holder } = concluded;
        let blamed = blamed(verified);
        blamed.iter().for_each(|line| console.warn(line));
        let seat = verified.outcome.commitments.seat();
        let share = holder.as_ref().map(|_| self.home.join(SHARE));
        let index = holder.as_ref().map(|holder| holder.seat().index);
        if holder.is_none()
            && verified.definition.servers().iter().any(|server| !verified.endorsed.contains(&server.name))
        {
            console.warn("a dealer withheld its share from this server, which has none now; a renewal gives it one");
        }
        let id = verified.outcome.public.id().to_string();
        console.result(
            &json!({
                "ended": true, "session": verified.session, "public_key": id, "epoch": seat.epoch, "share": share,
                "index": index, "threshold": seat.sharing.threshold(), "servers": seat.sharing.servers(),
                "endorsed": verified.endorsed, "blamed": blamed, "folder": self.home,
            }),
            || {
                format!(
                    "public key {id}, epoch {}\n{}: keep {SHARE} for yourself; publish {PUBLIC_KEY}, {COMMITMENTS} and the \
                     transcript",
                    seat.epoch,
                    self.home.display()
                )
            },
        )
    }
}
