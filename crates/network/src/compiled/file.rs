//! The file of an integer network: safetensors, with scales, ranges and the hash in its metadata.
//!
//! | tensor | type, shape |
//! |---|---|
//! | `left`, `right` (absent for squares), `combine` | i32 `[d, n]`, `[d, m]`, `[S, d]`; column 0 is the bias |
//! | `centre`, `scale` (absent with the head) | f64 `[S]`: the head reads `(output − centre) / scale` |
//! | `head.I.weight`, `head.I.bias` (absent if the largest output names the class) | f32 `[out, in]`, `[out]` |

use std::path::Path;

use dataset::Encoder;
use serde::{Deserialize, Serialize};

use super::{CompiledNetwork, Origin, PublicHead, Weights};
use crate::network::{insert_head, read_head};
use crate::storage::{self, FileError, Stored, Tensors, Values};
use crate::train::hex;

const FORMAT: &str = "halflight compiled network";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    format: String,
    version: u32,
    encoder: Encoder,
    main: String,
    classes: Vec<String>,
    /// Inclusive range of every output that a discrete logarithm covers.
    declared: Vec<(i64, i64)>,
    origin: Origin,
    /// Of everything that decides outputs and predictions, in hexadecimal.
    hash: String,
}

impl CompiledNetwork {
    /// Writes the network; the file appears whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        let (n, m) = self.inputs();
        let mut tensors = Tensors::default();
        tensors.insert("left", &[self.units, n], Values::I32(self.left.clone()));
        if !self.squares {
            tensors.insert("right", &[self.units, m], Values::I32(self.right.clone()));
        }
        tensors.insert("combine", &[self.outputs, self.units], Values::I32(self.combine.clone()));
        if let PublicHead::Net { centre, scale, layers } = &self.head {
            insert_head(&mut tensors, layers);
            tensors.insert("centre", &[self.outputs], Values::F64(centre.clone()));
            tensors.insert("scale", &[self.outputs], Values::F64(scale.clone()));
        }
        let about = About {
            format: FORMAT.into(),
            version: VERSION,
            encoder: self.encoder.clone(),
            main: self.main.clone(),
            classes: self.classes.clone(),
            declared: self.declared.clone(),
            origin: self.origin.clone(),
            hash: hex(&self.hash()),
        };
        storage::write(path, &tensors, &about)
    }

    /// Reads a network, computes its ranges anew and compares its hash.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let stored = Stored::read(path)?;
        let about: About = stored.about()?;
        if (about.format.as_str(), about.version) != (FORMAT, VERSION) {
            let problem = format!("is {} {}, and this reads {FORMAT} {VERSION}", about.format, about.version);
            return Err(stored.field("format", problem));
        }
        let (n, m) = about.encoder.inputs();
        let (shape, combine) = stored.small_integers("combine")?;
        let &[outputs, units] = &shape[..] else {
            return Err(stored.field("combine", format!("has shape {shape:?}, and must have two sides")));
        };
        let left = stored.small_integers_shaped("left", &[units, n])?;
        let squares = !stored.names()?.iter().any(|name| name == "right");
        let right = if squares { None } else { Some(stored.small_integers_shaped("right", &[units, m])?) };
        if squares && n != m {
            return Err(stored.field("right", "is missing, and squares need as many columns on the right"));
        }
        let weights = Weights { left, right, combine, units };
        let wide = || stored.field("left", "leaves 64-bit projections: the weights or the input range are too large");
        let exact = weights.bounds(&about.encoder).ok_or_else(wide)?;
        let head = if stored.names()?.iter().any(|name| name == "centre") {
            let centre = stored.statistics("centre", outputs, false)?;
            let scale = stored.statistics("scale", outputs, true)?;
            PublicHead::Net { centre, scale, layers: read_head(&stored, outputs, about.classes.len())? }
        } else if about.classes.len() == outputs {
            PublicHead::Largest
        } else {
            return Err(stored.field("classes", format!("must be {outputs} names where no head reads the outputs")));
        };
        let known = |name: &str| match &head {
            _ if ["left", "right", "combine"].contains(&name) => true,
            PublicHead::Largest => false,
            PublicHead::Net { layers, .. } => {
                ["centre", "scale"].contains(&name) || layers.0.iter().any(|layer| layer.name == name)
            }
        };
        // The hash covers what is read and nothing else.
        if let Some(other) = stored.names()?.iter().find(|name| !known(name)) {
            return Err(stored.field(other, "is unknown in a compiled network: the hash would not cover it; remove it"));
        }
        let ordered = about.declared.iter().all(|(low, high)| low <= high);
        if about.declared.len() != outputs || !ordered {
            return Err(stored.field("declared", format!("must be {outputs} ranges, low to high")));
        }
        let (encoder, declared) = (about.encoder, about.declared);
        let network = weights.assemble(encoder, exact, declared, head, (about.main, about.classes), about.origin);
        if hex(&network.hash()) != about.hash {
            let problem = "does not fit the content: the file was changed after it was made; make it again";
            return Err(stored.field("hash", problem));
        }
        Ok(network)
    }
}

impl Weights {
    /// The network of these weights; the caller has checked the sizes.
    pub(crate) fn assemble(
        self,
        encoder: Encoder,
        exact: super::Bounds,
        declared: Vec<(i64, i64)>,
        head: PublicHead,
        (main, classes): (String, Vec<String>),
        origin: Origin,
    ) -> CompiledNetwork {
        let squares = self.right.is_none();
        CompiledNetwork {
            encoder,
            units: self.units,
            outputs: exact.outputs.len(),
            right: self.right.unwrap_or_else(|| self.left.clone()),
            left: self.left,
            squares,
            combine: self.combine,
            exact,
            declared,
            head,
            main,
            classes,
            origin,
        }
    }
}
