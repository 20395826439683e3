//! An owner whose slow work is done in steps.

use encoder::{EncodeError, Encoded, Encoder};
use items::sound::AnalysisError;
use items::{EncoderMismatch, Form, RecordError, RecordReader, Recording, SoundError, SoundReader};
use qfe::{Encoding, EncryptError, Encryptor, EncryptorSteps, Mask, MaskSteps, PublicKey, WireError};
use rand::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why an owner cannot be made, or an item cannot be encrypted.
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
    /// The item.
    #[error(transparent)]
    Item(#[from] EncodeError),
    /// The JSON of the form, or a form that contradicts itself.
    #[error("form: {0}; give the one of the predictor's page file")]
    Form(String),
    /// The form makes items with other columns than the encoder takes.
    #[error("form: {0}")]
    Columns(#[from] EncoderMismatch),
    /// A row or a recording that the form does not allow, or without a form.
    #[error("the form of these items reads no {0}")]
    Kind(&'static str),
    /// The values of a row.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A recording.
    #[error("this recording cannot be used: {0}")]
    Sound(#[from] SoundError),
    /// Encryption; not with an encoder that fits the key.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
}

/// Encodes and encrypts items under one public key.
pub struct Owner {
    key: PublicKey,
    encoder: Encoder,
    reader: Option<Reader>,
    table_bytes: usize,
    filling: Option<EncryptorSteps>,
    encryptor: Option<Encryptor>,
    drawing: Option<MaskSteps>,
    masks: Vec<Mask>,
}

/// Turns an owner's row or recording into an item.
enum Reader {
    Row(RecordReader),
    Sound(SoundReader),
}

impl From<AnalysisError> for OwnerError {
    fn from(wrong: AnalysisError) -> Self {
        Self::Form(wrong.to_string())
    }
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
        Ok(Self {
            key,
            encoder,
            reader: None,
            table_bytes,
            filling: None,
            encryptor: None,
            drawing: None,
            masks: Vec::new(),
        })
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

    /// Loads the form of items other than pictures, as JSON from a page file; refuses one that was not made for the
    /// encoder.
    pub fn take_form(&mut self, form: &[u8]) -> Result<(), OwnerError> {
        let form: Form = serde_json::from_slice(form).map_err(|error| OwnerError::Form(error.to_string()))?;
        form.check().map_err(OwnerError::Form)?;
        form.check_encoder(&self.encoder)?;
        self.reader = Some(match form {
            Form::Table(schema) => Reader::Row(RecordReader::new(schema)),
            Form::Sound(analysis) => Reader::Sound(SoundReader::new(analysis)?),
        });
        Ok(())
    }

    /// The item of a row of the table: one text for each column, empty where a value is missing.
    pub fn row(&self, values: &[&str]) -> Result<Vec<u8>, OwnerError> {
        let Some(Reader::Row(reader)) = &self.reader else { return Err(OwnerError::Kind("row of a table")) };
        let values: Vec<_> = values.iter().map(|&value| value.into()).collect();
        Ok(reader.read(&values)?)
    }

    /// The item of a recording.
    pub fn sound(&mut self, recording: &Recording) -> Result<Vec<u8>, OwnerError> {
        let Some(Reader::Sound(reader)) = &mut self.reader else { return Err(OwnerError::Kind("recording")) };
        Ok(reader.read(recording)?)
    }

    /// The item of the WAV file of a recording.
    pub fn wav(&mut self, file: &[u8]) -> Result<Vec<u8>, OwnerError> {
        self.sound(&Recording::from_wav(file)?)
    }

    /// The levels of an item, which are what is encrypted, for the owner to look at.
    pub fn encode(&self, item: &[u8]) -> Result<Encoded, OwnerError> {
        Ok(self.encoder.encode(item)?)
    }

    /// The ciphertext of an item of `height × width` bytes, such as the grey values of a picture, with a mask that is
    /// ready or else a fresh one.
    pub fn encrypt(
        &mut self,
        item: &[u8],
        encoding: Encoding,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, OwnerError> {
        let encoded = self.encoder.encode_with(item, rng)?;
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
