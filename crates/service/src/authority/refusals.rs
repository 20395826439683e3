//! Refusals on record. The ledger keeps them, witnesses read all of it, and everyone who may ask can be refused as often
//! as they like. So entries are short. After many of one caller within an hour only every so many gets one, which
//! counts those between.

use std::sync::PoisonError;

use super::state::Unrecorded;
use super::{AuthorityError, Issuer, State};
use crate::clock;
use crate::hash::Hash;
use crate::ledger::{Event, Writing};

/// Refusals of one caller within an hour that each get an entry. After them the 64th gets one, then the 128th after
/// that, and so on.
const EACH: u32 = 64;
/// Maximum length of one reason to refuse, in characters.
const REASON: usize = 500;
/// Maximum length of all reasons of a refusal, in bytes as the ledger has them.
const REASONS: usize = 8 << 10;

/// What is refused, to whom and why.
#[derive(Default)]
pub(super) struct Refusal<'a> {
    pub request: &'a str,
    pub project: Option<&'a str>,
    pub public_key: Option<Hash>,
    pub network: Option<Hash>,
    pub reasons: Vec<String>,
    pub by: &'a str,
}

impl Issuer {
    /// Records a refusal, and gives it back as the error.
    pub(super) async fn refuse(
        &self,
        state: &mut State,
        writing: Writing<'_>,
        mut refusal: Refusal<'_>,
    ) -> AuthorityError {
        refusal.reasons.iter_mut().for_each(shorten);
        let by = refusal.by;
        let before = self.unrecorded().remove(by).map_or(0, |last| with_itself(&last));
        let event = Event::Refused {
            request: refusal.request.to_owned(),
            project: refusal.project.map(str::to_owned),
            public_key: refusal.public_key,
            network: refusal.network,
            reasons: few(&refusal.reasons),
            unrecorded: before,
            by: by.to_owned(),
        };
        if before + 1 < due(state.refused_lately(by, clock::now())) {
            drop(writing);
            self.unrecorded().insert(by.to_owned(), event);
            return AuthorityError::Refused { reasons: refusal.reasons };
        }
        match self.record(state, writing, &event, by).await {
            Ok(_) => AuthorityError::Refused { reasons: refusal.reasons },
            Err(error) => error,
        }
    }

    /// Records refusals that have no entry yet: before the end. Where that fails, their number is in the log.
    pub(crate) async fn record_refusals(&self) {
        let events: Vec<Event> = std::mem::take(&mut *self.unrecorded()).into_values().collect();
        if events.is_empty() {
            return;
        }
        let recorded = async {
            let (mut state, writing) = self.write().await?;
            self.record_all(&mut state, writing, &events, "the end of the process").await
        };
        if let Err(error) = recorded.await {
            let count: u64 = events.iter().map(with_itself).sum();
            tracing::error!(%error, count, "refusals could not be recorded");
        }
    }

    fn unrecorded(&self) -> std::sync::MutexGuard<'_, Unrecorded> {
        self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refusals from the last entry on after which the next one is due, if so many entries were made within the hour.
fn due(entries: u32) -> u64 {
    match entries.checked_sub(EACH) {
        None => 1,
        Some(more) => u64::from(EACH) << more.min(40),
    }
}

/// The refusals that an event counts.
fn with_itself(event: &Event) -> u64 {
    match event {
        Event::Refused { unrecorded, .. } => unrecorded.saturating_add(1),
        _ => 0,
    }
}

/// Cuts a reason, which may quote what was sent.
fn shorten(reason: &mut String) {
    if let Some((end, _)) = reason.char_indices().nth(REASON) {
        reason.truncate(end);
        reason.push('…');
    }
}

/// As many reasons as an entry has room for; whoever sends many approvals gets a reason for each.
fn few(reasons: &[String]) -> Vec<String> {
    let mut room = REASONS;
    let fits = |reason: &&String| {
        let length = serde_json::to_string(reason).map_or(REASONS, |text| text.len());
        room = room.saturating_sub(length);
        room > 0
    };
    let mut kept: Vec<String> = reasons.iter().take_while(fits).cloned().collect();
    if kept.len() < reasons.len() {
        kept.push(format!("and {} more", reasons.len() - kept.len()));
    }
    kept
}
