//! One server in a ceremony: sends its messages, reads those of others, and ends with its share.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host::files::{self, Access, FileError};
use qfe::shares::KeyShare;
use qfe::shares::ceremony::{Board, Ceremony, CeremonyError, Participant, Step};

use super::{AttendError, Definition, Mail, STEPS, ServerCard, Transcript, Verified, minutes};
use crate::hash::Hash;
use crate::keyfile::{self, Lock, Unlock};
use crate::share::{SHARE, ShareHolder, SharedKey};
use crate::signature::SigningKey;

/// Name of the file with a server's dealing while the ceremony lasts.
pub const STATE: &str = "dealing.age";
/// Name of the transcript.
pub const TRANSCRIPT: &str = "transcript";

/// Maximum size of a stored dealing, in bytes.
const MAX_STATE: u64 = 2 << 30;

/// The keys by which a server identifies itself.
#[allow(missing_debug_implementations)] // secret
pub struct Credentials<'a> {
    /// Signs its messages.
    pub key: &'a SigningKey,
    /// Opens shares that are sealed to it.
    pub unlock: &'a Unlock,
}

/// What a server waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The step, 1 to 4.
    pub step: u8,
    /// Messages that have not arrived.
    pub missing: Vec<String>,
}

/// The result of a ceremony.
#[allow(missing_debug_implementations)] // secret
pub struct Concluded {
    /// What the transcript proves.
    pub verified: Verified,
    /// The share, written to the folder; none if a dealer withheld its part, or for a server that only dealt.
    pub holder: Option<ShareHolder>,
}

/// One server in one ceremony.
#[allow(missing_debug_implementations)] // secret
pub struct Attendance<'a> {
    definition: Definition,
    ceremony: Arc<Ceremony>,
    mail: &'a dyn Mail,
    credentials: Credentials<'a>,
    home: PathBuf,
    board: Board,
    participant: Participant,
    dealer: Option<u16>,
    receiver: Option<u16>,
    /// Whether this server signs the minutes.
    clerk: bool,
    /// Minutes of the completed steps.
    ended: Vec<Vec<u8>>,
    /// Messages of the current step that the clerk has, and endorsements, by server.
    collected: BTreeMap<u16, Vec<u8>>,
    /// The last step in which this process sent its messages.
    put: u8,
    /// Whether this process sent its shares.
    delivered: bool,
    /// The endorsements with which no result was confirmed.
    tried: usize,
}

impl<'a> Attendance<'a> {
    /// Enters a ceremony, or resumes where an earlier process of this server stopped. `home`: a folder of this server
    /// alone, closed to others, which stores its dealing and the result. `share`: this server's share of the key that
    /// is renewed. `lost`: a holder that lost its share takes part without one, and gets it back.
    ///
    /// # Errors
    /// The credentials are not those in the definition; the dealing is missing; a ceremony has already ended in `home`.
    pub fn enter(
        definition: Definition,
        mail: &'a dyn Mail,
        credentials: Credentials<'a>,
        home: &Path,
        share: Option<&KeyShare>,
        lost: bool,
    ) -> Result<Self, AttendError> {
        let ceremony = definition.ceremony()?;
        let place = |servers: &[ServerCard]| {
            let own = credentials.key.verifying_key();
            servers.iter().position(|server| server.key == own).map(|place| place as u16 + 1)
        };
        let (dealer, receiver) = (place(definition.dealers()), place(definition.servers()));
        let card = match (dealer, receiver) {
            (_, Some(index)) => &definition.servers()[usize::from(index) - 1],
            (Some(index), None) => &definition.dealers()[usize::from(index) - 1],
            (None, None) => return Err(CeremonyError::Stranger.into()),
        };
        let dealer = dealer.filter(|&index| ceremony.deals(index));
        if dealer.is_none() && receiver.is_none() {
            return Err(AttendError::LeftOut { server: card.name.clone() });
        }
        if credentials.unlock.recipient().as_ref() != Some(&card.recipient) {
            let (what, server) = ("the identity", card.name.clone());
            return Err(AttendError::Credentials { what, server });
        }
        if home.join(TRANSCRIPT).exists() {
            return Err(AttendError::Ended { path: home.to_owned() });
        }
        files::make_secret_folder(home)?;
        let clerk = definition.clerk().key == credentials.key.verifying_key();
        let (board, seed, state) = (Board::new(ceremony.clone()), credentials.key.seed(), home.join(STATE));
        let participant = if state.exists() {
            let kept = keyfile::load(&state, credentials.unlock, MAX_STATE)?;
            Participant::resume(ceremony.clone(), &seed, &kept)?
        } else {
            if !definition.holders().is_empty() && dealer.is_some() && share.is_none() && !lost {
                return Err(AttendError::NoShare { server: card.name.clone() });
            }
            let fresh = Participant::new(ceremony.clone(), &seed, share, &mut host::fresh_rng())?;
            if let Some(kept) = fresh.keep() {
                // Signed by this server itself: it has dealt before.
                let own = dealer.unwrap_or_default();
                let said = get(mail, &format!("commit-{own}"), definition.most())?;
                let by = said.and_then(|said| Board::new(ceremony.clone()).post(&said).ok());
                if by == Some(own) {
                    return Err(AttendError::Lost { server: card.name.clone(), path: state });
                }
                // Stored on disk before anything is sent.
                keyfile::save(&state, &kept, &credentials.unlock.lock())?;
            }
            fresh
        };
        let (ended, collected, home) = (Vec::new(), BTreeMap::new(), home.to_owned());
        Ok(Self {
            definition,
            ceremony,
            mail,
            credentials,
            home,
            board,
            participant,
            dealer,
            receiver,
            clerk,
            ended,
            collected,
            put: 0,
            delivered: false,
            tried: 0,
        })
    }

    /// The hash of the definition, which every message carries: compare it with the other institutions.
    pub fn session(&self) -> Hash {
        Hash(*self.ceremony.session())
    }

    /// The current step, 1 to 4.
    pub fn step(&self) -> u8 {
        self.ended.len() as u8 + 1
    }

    /// Does everything possible now, over as many steps as the others allow. `late`: whether the time for missing
    /// messages is over.
    ///
    /// # Errors
    /// The store fails, the clerk is at fault, or too few servers took part.
    pub fn advance(&mut self, late: bool) -> Result<Result<Box<Concluded>, Waiting>, AttendError> {
        // A message that was late in one step may be in time for the next.
        let mut late = late;
        while self.step() <= STEPS {
            if !self.read_minutes()? {
                self.say(late)?;
                if let Some(missing) = self.write_minutes(late)? {
                    return Ok(Err(self.waiting(missing)));
                }
            }
            late = false;
        }
        self.say(late)?;
        self.conclude(late)
    }

    fn waiting(&self, mut missing: Vec<String>) -> Waiting {
        if let Some(own) = self.receiver.filter(|_| self.step() >= 3) {
            let dealers = self.participant.missing(&self.board).into_iter();
            missing.extend(dealers.map(|dealer| format!("share-{dealer}-{own}")));
        }
        Waiting { step: self.step(), missing }
    }

    /// Sends this server's messages of the current step.
    fn say(&mut self, late: bool) -> Result<(), AttendError> {
        let step = self.step();
        if step >= 3 {
            self.deliver()?;
            self.take_shares()?;
        }
        if self.put >= step {
            return Ok(());
        }
        match step {
            1 => {
                if let Some(commit) = self.participant.commit() {
                    self.post(&format!("commit-{}", self.dealer.unwrap_or_default()), &commit)?;
                }
            }
            2 => {
                if let Some(dealing) = self.participant.deal() {
                    let dealer = self.dealer.unwrap_or_default();
                    self.post(&format!("deal-{dealer}"), &dealing.public)?;
                }
            }
            3 => {
                // Shares of others may still arrive, and a complaint is final.
                if !self.participant.missing(&self.board).is_empty() && !late {
                    return Ok(());
                }
                if let (Some(report), Some(index)) = (self.participant.report(), self.receiver) {
                    self.post(&format!("report-{index}"), &report)?;
                }
            }
            _ => {
                let finished = match self.participant.finish(&self.board) {
                    Err(CeremonyError::MissingShare { .. }) => return Ok(()),
                    finished => finished?,
                };
                if let (Some(endorsement), Some(index)) = (finished.endorsement, self.receiver) {
                    self.post(&format!("endorse-{index}"), &endorsement)?;
                }
            }
        }
        self.put = step;
        Ok(())
    }

    /// Sends the sealed shares of this server's dealing, once the minutes include it; repeated after each start, in
    /// case messages were lost.
    fn deliver(&mut self) -> Result<(), AttendError> {
        let Some(dealer) = self.dealer.filter(|_| !self.delivered) else { return Ok(()) };
        for (to, server) in (1u16..).zip(self.definition.servers()) {
            if let Some(message) = self.participant.deliver_again(&self.board, to) {
                let name = format!("share-{dealer}-{to}");
                let sealed = keyfile::seal(&message, &Lock::recipient(&server.recipient)?);
                let sealed =
                    sealed.map_err(|reason| AttendError::Mail { name: name.clone(), source: reason.into() })?;
                self.post(&name, &sealed)?;
            }
        }
        self.delivered = true;
        Ok(())
    }

    /// Reads the shares for this server that have arrived. Data that is not a share counts as missing: nobody can prove
    /// who sent it.
    fn take_shares(&mut self) -> Result<(), AttendError> {
        let Some(own) = self.receiver else { return Ok(()) };
        for dealer in self.participant.missing(&self.board) {
            let sealed = get(self.mail, &format!("share-{dealer}-{own}"), self.definition.most())?;
            let opened = sealed.and_then(|sealed| keyfile::unseal(&sealed, self.credentials.unlock).ok());
            if let Some(message) = opened {
                // A wrong share is kept for the complaint; anything else is ignored.
                let _ = self.participant.receive(&self.board, &message);
            }
        }
        Ok(())
    }

    /// Ends the current step if its minutes are available; returns whether they are.
    fn read_minutes(&mut self) -> Result<bool, AttendError> {
        let (step, previous) = (self.step(), self.previous());
        let Some(found) = get(self.mail, &format!("minutes-{step}"), self.definition.most())? else { return Ok(false) };
        if !self.collected.is_empty() {
            // Another process of this clerk wrote them, about other messages than these.
            self.board = self.replay()?;
            self.collected.clear();
        }
        let session = *self.ceremony.session();
        match minutes::apply(&self.definition, &session, step, previous, &found, &mut self.board) {
            Ok(()) => self.ended.push(found),
            // Somebody else sent them before anything was posted.
            Err(_) if self.clerk => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Ends the current step if this server writes the minutes and can do so; otherwise returns what is missing.
    fn write_minutes(&mut self, late: bool) -> Result<Option<Vec<String>>, AttendError> {
        let (step, previous) = (self.step(), self.previous());
        let name = format!("minutes-{step}");
        if !self.clerk {
            return Ok(Some(vec![name]));
        }
        let missing = self.collect()?;
        // Nobody accepts fewer, so that minutes with fewer are never signed.
        if !missing.is_empty() && !late || self.collected.len() < self.definition.least(step)? {
            return Ok(Some(missing));
        }
        let session = *self.ceremony.session();
        let written = minutes::write(&session, step, previous, &self.collected, self.credentials.key);
        self.post(&name, &written)?;
        self.board.end_step();
        self.collected.clear();
        self.ended.push(written);
        Ok(None)
    }

    /// The value that the next minutes are chained to.
    fn previous(&self) -> Hash {
        self.ended.last().map_or(self.session(), |minutes| minutes::head(minutes))
    }

    /// The board of the completed steps.
    fn replay(&self) -> Result<Board, AttendError> {
        let session = *self.ceremony.session();
        let (mut board, mut previous) = (Board::new(self.ceremony.clone()), Hash(session));
        for (step, bytes) in (1..).zip(&self.ended) {
            minutes::apply(&self.definition, &session, step, previous, bytes, &mut board)?;
            previous = minutes::head(bytes);
        }
        Ok(board)
    }

    /// Posts the messages of the current step that have arrived; returns the names of the missing ones.
    fn collect(&mut self) -> Result<Vec<String>, AttendError> {
        let step = self.board.step();
        let (kind, servers) = match step {
            Step::Commit => ("commit", self.definition.dealers().len()),
            Step::Deal => ("deal", self.definition.dealers().len()),
            Step::Complain => ("report", self.definition.servers().len()),
            Step::Endorse | Step::Done => ("endorse", self.definition.servers().len()),
        };
        let awaited = |server: &u16| match step {
            Step::Commit => self.ceremony.deals(*server),
            Step::Deal => self.board.has_committed(*server),
            Step::Complain | Step::Endorse | Step::Done => true,
        };
        let awaited: Vec<u16> = (1..=servers as u16).filter(awaited).collect();
        for server in &awaited {
            if self.collected.contains_key(server) {
                continue;
            }
            let found = get(self.mail, &format!("{kind}-{server}"), self.definition.most())?;
            // An unsigned message counts as missing; one that another server signed belongs to that server, and this
            // server is still waited for.
            if let Some((sender, found)) = found.and_then(|found| Some((self.board.post(&found).ok()?, found))) {
                self.collected.insert(sender, found);
            }
        }
        let missing = awaited.iter().filter(|server| !self.collected.contains_key(*server));
        Ok(missing.map(|server| format!("{kind}-{server}")).collect())
    }

    /// Reads endorsements, and ends once enough servers signed the same result and nobody is waited for.
    fn conclude(&mut self, late: bool) -> Result<Result<Box<Concluded>, Waiting>, AttendError> {
        let missing = self.collect()?;
        if !missing.is_empty() && (!late || self.tried == self.collected.len()) {
            return Ok(Err(self.waiting(missing)));
        }
        let endorsements = self.collected.values().cloned().collect();
        let transcript = Transcript::new(self.definition.to_bytes(), self.ended.clone(), endorsements);
        let verified = match transcript.verify() {
            Err(AttendError::Protocol(CeremonyError::Endorsements { .. })) if !missing.is_empty() => {
                self.tried = self.collected.len();
                return Ok(Err(self.waiting(missing)));
            }
            verified => verified?,
        };
        let key = verified.key()?;
        let share = match self.participant.finish(&self.board) {
            Err(CeremonyError::MissingShare { .. }) => None,
            finished => finished?.share,
        };
        let holder = share.map(|share| ShareHolder::new(key.clone(), share)).transpose()?;
        self.keep(&key, holder.as_ref())?;
        files::write(&self.home.join(TRANSCRIPT), &transcript.to_bytes(), Access::Ordinary)?;
        let state = self.home.join(STATE);
        if state.exists() {
            let fail = |source| FileError::System { path: state.clone(), action: "erased", source };
            fs::remove_file(&state).map_err(fail)?;
        }
        Ok(Ok(Box::new(Concluded { verified, holder })))
    }

    /// Writes the public part of the key, and the share.
    fn keep(&self, key: &SharedKey, holder: Option<&ShareHolder>) -> Result<(), AttendError> {
        let path = self.home.join(SHARE);
        match holder {
            // An earlier process may have stopped between these files.
            Some(holder) if path.exists() => {
                let kept = keyfile::load_key_share(&path, self.credentials.unlock)?;
                if kept.to_bytes() != holder.share().to_bytes() {
                    return Err(AttendError::Ended { path: self.home.clone() });
                }
            }
            Some(holder) => return Ok(holder.save(&self.home, &self.credentials.unlock.lock())?),
            None => {}
        }
        Ok(key.write(&self.home)?)
    }

    fn post(&self, name: &str, bytes: &[u8]) -> Result<(), AttendError> {
        self.mail.put(name, bytes).map_err(|source| AttendError::Mail { name: name.to_owned(), source })
    }
}

fn get(mail: &dyn Mail, name: &str, limit: u64) -> Result<Option<Vec<u8>>, AttendError> {
    mail.get(name, limit).map_err(|source| AttendError::Mail { name: name.to_owned(), source })
}
