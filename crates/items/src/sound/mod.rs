//! Recordings as log-mel energies of a fixed size.
//!
//! | step | default |
//! |---|---|
//! | read | 8-, 16-, 24- or 32-bit integers or 32-bit floats, channels averaged |
//! | trim | leading and trailing silence, 40 dB below the loudest frame |
//! | spectrum | Hann windows of 32 ms every 8 ms |
//! | bands | 20 triangles, equally spaced in mel from 60 to 4,000 Hz |
//! | energy | dB below the loudest band and frame of the recording, cut at −60 |
//! | time | averaged or stretched to 24 frames, so that fast and slow words look alike |
//!
//! An item is `bands × frames`, low bands first.

mod analysis;
mod mel;
mod reader;
mod wav;

pub(crate) use analysis::FLOOR;
pub use analysis::{Analysis, AnalysisError};
pub use reader::SoundReader;
pub use wav::{Recording, WavFile};

/// Why a recording gives no item.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SoundError {
    /// Not a WAV file, or one that is damaged.
    #[error("not a readable WAV file: {0}")]
    Wav(String),
    /// An unsupported sample rate.
    #[error("its sample rate is {0} Hz: convert it to 8 to 48 kHz")]
    Rate(u32),
    /// No channel, or too many.
    #[error("it has {0} channels: convert it to one")]
    Channels(u16),
    /// Longer than a word or a phrase.
    #[error("it is longer than {0} samples: cut it into words")]
    Long(usize),
    /// Not a number, or infinite.
    #[error("it has samples that are not finite numbers")]
    Numbers,
    /// Nothing was recorded.
    #[error("it has no samples")]
    Empty,
    /// Nothing can be heard.
    #[error("it is silent")]
    Silent,
    /// The analysis looks at higher frequencies than it has.
    #[error("its sample rate of {rate} Hz is too low for `high`, {high} Hz: lower `high`")]
    High {
        /// Of the recording.
        rate: u32,
        /// Of the analysis.
        high: f32,
    },
}
