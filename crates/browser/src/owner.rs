//! An owner whose slow work is done in steps.

use encoder::{EncodeError, Encoded, Encoder};
use qfe::{Encoding, EncryptError, Encryptor, EncryptorSteps, Mask, MaskSteps, PublicKey, WireError};
use rand::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why an owner cannot be made, or an image not be encrypted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OwnerError {
    /// The bytes of the public key.
    #[error("public key: {0}")]
    Key(#[from] WireError),
    /// The JSON of the encoder.
    #[error("encoder: {0}; give the encoder that was published with the key")]
    Json(#[from] serde_json::Error),
    /// Key and encoder of different sets of parameters.
    #[error(
        "the encoder gives vectors of {encoder:?}, the public key encrypts {key:?}: take both from the same parameters"
    )]
    Inputs {
        /// `(n, m)` of the encoder.
        encoder: (usize, usize),
        /// `(n, m)` of the key.
        key: (usize, usize),
    },
    /// The image.
    #[error(transparent)]
    Image(#[from] EncodeError),
    /// Encryption; not with an encoder that fits the key.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
}

/// Encodes and encrypts images under one public key.
pub struct Owner {
    key: PublicKey,
    encoder: Encoder,
    table_bytes: usize,
    filling: Option<EncryptorSteps>,
    encryptor: Option<Encryptor>,
    drawing: Option<MaskSteps>,
    masks: Vec<Mask>,
}

impl Owner {
    /// Reads a public key and the encoder published with it; tables will take up to
    /// `table_bytes` a side.
    pub fn new(public_key: &[u8], encoder: &[u8], table_bytes: usize) -> Result<Self, OwnerError> {
        let key = PublicKey::from_bytes(public_key)?;
        let encoder: Encoder = serde_json::from_slice(encoder)?;
        if encoder.inputs() != key.inputs() {
            return Err(OwnerError::Inputs { encoder: encoder.inputs(), key: key.inputs() });
        }
        Ok(Self { key, encoder, table_bytes, filling: None, encryptor: None, drawing: None, masks: Vec::new() })
    }

    /// The public key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Masks ready.
    pub fn masks(&self) -> usize {
        self.masks.len()
    }

    /// Takes one step of the tables and returns the fraction done: 1 when they are full.
    pub fn prepare(&mut self) -> f64 {
        if self.encryptor.is_some() {
            return 1.0;
        }
        let mut steps = self.filling.take().unwrap_or_else(|| EncryptorSteps::new(&self.key, self.table_bytes));
        let fraction = steps.step() as f64 / steps.steps() as f64;
        if fraction < 1.0 {
            self.filling = Some(steps);
        } else {
            self.encryptor = Some(steps.finish());
        }
        fraction
    }

    /// Takes one step of a mask and returns the fraction done: 1 when it is ready. Fills
    /// tables first that are not full.
    pub fn draw(&mut self, rng: &mut impl CryptoRng) -> f64 {
        let drawing = self.drawing.take();
        let encryptor = self.encryptor();
        let mut mask = drawing.unwrap_or_else(|| MaskSteps::new(encryptor, rng));
        let fraction = mask.step(encryptor) as f64 / mask.steps() as f64;
        if fraction < 1.0 {
            self.drawing = Some(mask);
        } else {
            self.masks.extend(mask.finish());
        }
        fraction
    }

    /// The levels of an image: what is encrypted of it, for the owner to look at.
    pub fn encode(&self, image: &[u8]) -> Result<Encoded, OwnerError> {
        Ok(self.encoder.encode(image)?)
    }

    /// The ciphertext of an image of `height × width` grey values, with a mask that is
    /// ready or else a fresh one.
    pub fn encrypt(
        &mut self,
        image: &[u8],
        encoding: Encoding,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, OwnerError> {
        let encoded = self.encoder.encode_with(image, rng)?;
        let (u, v) = (Zeroizing::new(encoded.u), Zeroizing::new(encoded.v));
        let mask = loop {
            match self.masks.pop() {
                Some(mask) => break mask,
                None => self.draw(rng),
            };
        };
        Ok(self.encryptor().encrypt_with_mask(&u, &v, mask)?.encode(encoding))
    }

    /// The encryptor, after the steps of its tables that are left.
    fn encryptor(&mut self) -> &Encryptor {
        while self.prepare() < 1.0 {}
        self.encryptor.get_or_insert_with(|| EncryptorSteps::new(&self.key, self.table_bytes).finish())
    }
}
