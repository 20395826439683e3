//! Row-major data of a JSON tensor, given flat or as nested lists.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The numbers of a `UINT8` tensor, at most `limit` of them.
pub fn numbers(data: &RawValue, limit: usize) -> Result<Vec<u8>, serde_json::Error> {
    let mut sink = Numbers { values: Vec::new(), limit };
    Flatten(&mut sink).deserialize(&mut serde_json::Deserializer::from_str(data.get()))?;
    Ok(sink.values)
}

/// The strings of a `BYTES` tensor, at most `limit` of them.
pub fn strings(data: &RawValue, limit: usize) -> Result<Vec<String>, serde_json::Error> {
    let mut sink = Strings { values: Vec::new(), limit };
    Flatten(&mut sink).deserialize(&mut serde_json::Deserializer::from_str(data.get()))?;
    Ok(sink.values)
}

trait Sink {
    fn expecting(&self) -> &'static str;
    fn number<E: Error>(&mut self, value: u64) -> Result<(), E>;
    fn string<E: Error>(&mut self, value: &str) -> Result<(), E>;
}

struct Numbers {
    values: Vec<u8>,
    limit: usize,
}

struct Strings {
    values: Vec<String>,
    limit: usize,
}

impl Sink for Numbers {
    fn expecting(&self) -> &'static str {
        "numbers from 0 to 255, flat or nested"
    }

    fn number<E: Error>(&mut self, value: u64) -> Result<(), E> {
        let value = u8::try_from(value).map_err(|_| E::custom(format!("{value} does not fit UINT8")))?;
        if self.values.len() == self.limit {
            return Err(E::custom(format!("more than {} numbers", self.limit)));
        }
        self.values.push(value);
        Ok(())
    }

    fn string<E: Error>(&mut self, _: &str) -> Result<(), E> {
        Err(E::custom("a string in a UINT8 tensor; send BYTES, or numbers"))
    }
}

impl Sink for Strings {
    fn expecting(&self) -> &'static str {
        "strings in base64, flat or nested"
    }

    fn number<E: Error>(&mut self, _: u64) -> Result<(), E> {
        Err(E::custom("a number in a BYTES tensor; send UINT8, or strings in base64"))
    }

    fn string<E: Error>(&mut self, value: &str) -> Result<(), E> {
        if self.values.len() == self.limit {
            return Err(E::custom(format!("more than {} strings", self.limit)));
        }
        self.values.push(value.to_owned());
        Ok(())
    }
}

struct Flatten<'a, S>(&'a mut S);

impl<'de, S: Sink> DeserializeSeed<'de> for Flatten<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for Flatten<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.0.expecting())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.0.number(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.0.string(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(Flatten(&mut *self.0))?.is_some() {}
        Ok(())
    }
}
