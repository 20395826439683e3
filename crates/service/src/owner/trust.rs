//! Which parameters an owner accepts: those of a pin, or those that an authority signed for the right project and a
//! public key that is not known to be rotated out.

use super::pins::{Accepted, Pins};
use super::{OwnerClientError, OwnerOptions};
use crate::clock;
use crate::hash::Hash;
use crate::parameters::{Parameters, ParametersSignature, Purpose};
use crate::signature::{SignatureError, VerifyingKey};

/// The parameters in `bytes`, once they are shown to be those that `name` may have, and the signature that showed it,
/// where it was one.
pub(super) fn check(
    bytes: &[u8],
    signature: Option<&str>,
    name: &str,
    options: &OwnerOptions,
    pins: &Pins,
) -> Result<(Parameters, Option<ParametersSignature>), OwnerClientError> {
    let found = Hash::of_bytes(bytes);
    let pinned = match (options.pin, &options.authority) {
        (Some(pin), _) => pin,
        (None, Some(authority)) => {
            let parameters = Parameters::from_bytes(bytes, None)?;
            let signature = signed(&parameters, found, signature, authority)?;
            let purpose = signature.purpose.as_ref().ok_or_else(|| {
                unsigned("their signature is of version 1 and states neither project nor epoch, so they may be old")
            })?;
            current(purpose, authority, name, options, pins, found)?;
            return Ok((parameters, Some(signature)));
        }
        // Never the predictor's choice alone.
        (None, None) => pins.get(name)?.ok_or(OwnerClientError::Untrusted { found })?,
    };
    Ok((Parameters::from_bytes(bytes, Some(pinned))?, None))
}

fn unsigned(problem: impl ToString) -> OwnerClientError {
    OwnerClientError::Unsigned { problem: problem.to_string() }
}

/// The signature, once it is shown to be this authority's on these parameters.
fn signed(
    parameters: &Parameters,
    found: Hash,
    signature: Option<&str>,
    authority: &VerifyingKey,
) -> Result<ParametersSignature, OwnerClientError> {
    let signature = signature.ok_or_else(|| unsigned("the server has no signature of the authority for them"))?;
    let signature: ParametersSignature = signature.parse().map_err(|error: SignatureError| unsigned(error))?;
    if signature.authority != *authority {
        return Err(unsigned(format!("{} signed them, not {authority}", signature.authority)));
    }
    signature.check(parameters, found).map_err(unsigned)?;
    Ok(signature)
}

/// That parameters are of the project that is meant, and not older than what was accepted before.
fn current(
    purpose: &Purpose,
    authority: &VerifyingKey,
    name: &str,
    options: &OwnerOptions,
    pins: &Pins,
    found: Hash,
) -> Result<(), OwnerClientError> {
    let before = pins.accepted(name)?.filter(|before| before.authority == *authority);
    let meant = options.project.as_ref().or(before.as_ref().map(|before| &before.purpose.project));
    if let Some(meant) = meant.filter(|meant| **meant != purpose.project) {
        let (found, expected) = (purpose.project.clone(), meant.clone());
        return Err(OwnerClientError::Project { found, expected });
    }
    let old = |problem: String| Err(OwnerClientError::Old { project: purpose.project.clone(), problem });
    if let Some(newest) = pins.newest(authority, &purpose.project)?.filter(|newest| *newest > purpose.epoch) {
        return old(format!("they are of epoch {}, but epoch {newest} was accepted before", purpose.epoch));
    }
    // Within an epoch, another network may have come in place of one.
    match before {
        Some(Accepted { purpose: last, .. })
            if last.project == purpose.project && last.date > purpose.date && pins.get(name)? != Some(found) =>
        {
            old(format!("they were signed at {}, but those accepted before at {}", time(purpose), time(&last)))
        }
        _ => Ok(()),
    }
}

fn time(purpose: &Purpose) -> String {
    clock::utc(purpose.date)
}
