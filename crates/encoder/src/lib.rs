//! From an image to the small integers that an owner encrypts.
//!
//! With `x` the pixels, `μ` and `σ` their mean and standard deviation *within this image*:
//!
//! ```math
//! \begin{aligned}
//! c_i &= \pm \operatorname{mean}_{x \in \text{cell } i} \frac{x - \mu}{\sigma} &&\text{(ink positive)} \\
//! z &= c \text{, or an affine map of } c \text{, clamped to } [\text{low}, \text{high}] \\
//! \text{step} &= \frac{\text{high} - \text{low}}{2^{\text{bits}} - 1} \\
//! \ell_i &= \operatorname{round} \frac{z_i - \text{low}}{\text{step}}
//!   &&\text{from } 0 \text{ to } 2^{\text{bits}} - 1 \\
//! u &= (1, \ell_1, \dots, \ell_{n-1}) \\
//! v &= (1, \ell_j, \text{noise}) &&\text{for the columns } j \text{ that } v \text{ carries}
//! \end{aligned}
//! ```
//!
//! A cell is `pooling × pooling` pixels; cells whose pixels never change over the fitted images can be dropped. The
//! affine map scales each cell (`Normalise::PerColumn`, where `c` is the plain mean over 255), or projects on low
//! frequencies or principal components (`Transform`), so that fewer coordinates need to be encrypted. The encoder is
//! public and does not depend on any function. It travels with the network, so that owner and network cannot disagree.
//!
//! ```
//! use encoder::Encoder;
//!
//! // Pixels of 2 x 2 pictures, scaled to 4 bits: nothing to fit.
//! let encoder = Encoder::pixels(2, 2, 4)?;
//! let encoded = encoder.encode(&[0, 17, 34, 255])?;
//! assert_eq!(encoded.u, [1, 0, 1, 2, 15]);
//! assert_eq!((encoded.u.len(), encoded.v.len()), encoder.inputs());
//! # Ok::<(), encoder::EncodeError>(())
//! ```

#![warn(missing_debug_implementations, clippy::missing_errors_doc)]

mod encoder;
mod error;
#[cfg(feature = "fit")]
mod fit;
mod images;
mod map;
mod noise;
mod record;
#[cfg(feature = "fit")]
mod transform;

pub use encoder::{Encoded, Encoder, Ranges};
pub use error::EncodeError;
#[cfg(feature = "fit")]
pub use fit::{EncoderOptions, Normalise, Transform};
pub use images::{Images, Pixels};
pub use noise::Noise;
