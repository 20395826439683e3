//! Reads one recording after the other.

use super::analysis::{Analysis, AnalysisError, FLOOR};
use super::mel::Analysers;
use super::{Recording, SoundError};
use crate::features::Features;

/// An analysis that reads one recording after the other.
#[derive(Debug)]
pub struct SoundReader {
    analysis: Analysis,
    analysers: Analysers,
}

impl SoundReader {
    /// Reads recordings with an analysis.
    ///
    /// # Errors
    /// A field outside its limits.
    pub fn new(analysis: Analysis) -> Result<Self, AnalysisError> {
        analysis.check()?;
        Ok(Self { analysis, analysers: Analysers::default() })
    }

    /// The analysis of the recordings.
    pub fn analysis(&self) -> &Analysis {
        &self.analysis
    }

    /// The bytes of one recording: its energies, low bands first.
    ///
    /// # Errors
    /// It is silent, or of a rate that does not reach the highest frequency.
    pub fn read(&mut self, recording: &Recording) -> Result<Vec<u8>, SoundError> {
        Ok(Features::quantise_all(&self.analysers.energies(recording, &self.analysis)?, FLOOR, 0.0).0)
    }
}
