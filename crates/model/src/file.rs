//! The file of an integer network: safetensors, with scales, ranges and the hash in its metadata.
//!
//! | tensor | type, shape |
//! |---|---|
//! | `left`, `right` (absent for squares), `combine` | i32 `[d, n]`, `[d, m]`, `[S, d]`; column 0 is the bias |
//! | `centre`, `scale` (absent with the head) | f64 `[S]`: the head reads `(output − centre) / scale` |
//! | `head.I.weight`, `head.I.bias` (absent if the largest output names the class) | f32 `[out, in]`, `[out]` |

use std::path::Path;

use encoder::Encoder;
use quadratic::QuadraticMap;
use serde::{Deserialize, Serialize};

use crate::head::PublicHead;
use crate::layers::{insert_head, read_head};
use crate::network::hex;
use crate::storage::{self, FileError, Stored, Tensors, Values};
use crate::{CompiledNetwork, ModelError, Origin, Parts};

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
    /// Hash of everything that determines outputs and predictions, in hexadecimal.
    hash: String,
}

impl CompiledNetwork {
    /// Writes the network; the file appears whole or not at all.
    ///
    /// # Errors
    /// The operating system refuses to write.
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        let (n, m) = self.inputs();
        let mut tensors = Tensors::default();
        tensors.insert("left", &[self.units(), n], Values::I32(self.left().to_vec()));
        if !self.squares {
            tensors.insert("right", &[self.units(), m], Values::I32(self.right().to_vec()));
        }
        tensors.insert("combine", &[self.outputs(), self.units()], Values::I32(self.combine().to_vec()));
        if let PublicHead::Net { centre, scale, layers } = &self.head {
            insert_head(&mut tensors, layers);
            tensors.insert("centre", &[self.outputs()], Values::F64(centre.clone()));
            tensors.insert("scale", &[self.outputs()], Values::F64(scale.clone()));
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
    ///
    /// # Errors
    /// A file that cannot be read, is damaged, or holds anything that the hash does not cover.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let stored = Stored::read(path)?.exact();
        let about: About = stored.about_of(FORMAT, VERSION)?;
        let map = read_map(&stored, &about.encoder)?;
        let outputs = map.outputs();
        let head = if stored.has("centre") {
            let centre = stored.statistics("centre", outputs, false)?;
            let scale = stored.statistics("scale", outputs, true)?;
            PublicHead::Net { centre, scale, layers: read_head(&stored, outputs, about.classes.len())? }
        } else if about.classes.len() == outputs {
            PublicHead::Largest
        } else {
            return Err(stored.field("classes", format!("must be {outputs} names where no head reads the outputs")));
        };
        // The hash covers everything that is read, and nothing else.
        stored.all_read("a compiled network")?;
        let ordered = about.declared.iter().all(|(low, high)| low <= high);
        if about.declared.len() != outputs || !ordered {
            return Err(stored.field("declared", format!("must be {outputs} ranges, low to high")));
        }
        let About { encoder, main, classes, declared, origin, hash, .. } = about;
        let squares = !stored.has("right");
        let network = CompiledNetwork::new(Parts { encoder, map, squares, head, main, classes, origin });
        let network = network.map_err(|error| match error {
            ModelError::Overflow => stored.field("left", format!("is too large: {error}")),
            other => stored.field("combine", format!("does not fit: {other}")),
        })?;
        let network = CompiledNetwork { declared, ..network };
        if hex(&network.hash()) != hash {
            let problem = "does not fit the content: the file was changed after it was made: make it again";
            return Err(stored.field("hash", problem));
        }
        Ok(network)
    }
}

fn read_map(stored: &Stored, encoder: &Encoder) -> Result<QuadraticMap, FileError> {
    let (n, m) = encoder.inputs();
    let (shape, combine) = stored.small_integers("combine")?;
    let &[outputs, units] = &shape[..] else {
        return Err(stored.field("combine", format!("has shape {shape:?}, and must have two sides")));
    };
    let left = stored.small_integers_shaped("left", &[units, n])?;
    let right = match stored.has("right") {
        true => stored.small_integers_shaped("right", &[units, m])?,
        false if n == m => left.clone(),
        false => return Err(stored.field("right", "is missing, and squares need as many columns on the right")),
    };
    QuadraticMap::new(n, m, units, outputs, left, right, combine)
        .map_err(|error| stored.field("combine", format!("does not fit: {error}")))
}
