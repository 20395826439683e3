//! An inference request, read from a body.

use std::fmt;
use std::marker::PhantomData;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::OipError;
use super::flatten;

/// What a client asks for.
#[derive(Debug)]
pub struct InferRequest {
    /// Given back in the answer.
    pub id: Option<String>,
    /// The tensors.
    pub inputs: Vec<InputTensor>,
    /// The outputs asked for; empty means all.
    pub outputs: Vec<RequestedOutput>,
    /// Whether outputs that say nothing are wanted in binary.
    pub binary_outputs: bool,
}

/// A tensor of byte strings.
#[derive(Debug, PartialEq)]
pub struct InputTensor {
    /// Its name.
    pub name: String,
    /// One string of bytes per item.
    pub items: Vec<Vec<u8>>,
}

/// An output that is wanted.
#[derive(Debug, PartialEq)]
pub struct RequestedOutput {
    /// Its name.
    pub name: String,
    /// In binary or in JSON; none leaves it to the request.
    pub binary: Option<bool>,
    /// Only so many of the greatest values of each item, as text `value:place:label`.
    pub classification: Option<usize>,
}

/// Most tensors, outputs and extents that are read: an element of two bytes may take a hundred in memory.
const FEW: usize = 64;

#[derive(Deserialize)]
struct Json<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(borrow, deserialize_with = "few")]
    inputs: Vec<JsonInput<'a>>,
    #[serde(default, deserialize_with = "few")]
    outputs: Vec<JsonOutput>,
    #[serde(default)]
    parameters: RequestParameters,
}

#[derive(Deserialize)]
struct JsonInput<'a> {
    name: String,
    datatype: String,
    #[serde(deserialize_with = "few")]
    shape: Vec<u64>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    parameters: InputParameters,
}

#[derive(Deserialize)]
struct JsonOutput {
    name: String,
    #[serde(default)]
    parameters: OutputParameters,
}

#[derive(Deserialize, Default)]
struct RequestParameters {
    #[serde(default)]
    binary_data_output: bool,
}

#[derive(Deserialize, Default)]
struct InputParameters {
    #[serde(default)]
    binary_data_size: Option<usize>,
}

#[derive(Deserialize, Default)]
struct OutputParameters {
    #[serde(default)]
    binary_data: Option<bool>,
    #[serde(default)]
    classification: Option<usize>,
}

/// A list of at most [`FEW`] elements; a longer one is refused before it is kept.
fn few<'de, D: Deserializer<'de>, T: Deserialize<'de>>(list: D) -> Result<Vec<T>, D::Error> {
    struct Few<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Few<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {FEW} elements")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut all = Vec::new();
            while let Some(element) = list.next_element()? {
                if all.len() == FEW {
                    return Err(A::Error::invalid_length(FEW + 1, &self));
                }
                all.push(element);
            }
            Ok(all)
        }
    }

    list.deserialize_seq(Few(PhantomData))
}

impl InferRequest {
    /// Reads a body. `header_length`: where its JSON part ends, where the client said so. `items`: most items of a
    /// tensor. The memory used is a small multiple of the body, whatever it says.
    ///
    /// # Errors
    /// [`OipError`] names the field, its value and the remedy.
    pub fn parse(body: &[u8], header_length: Option<usize>, items: usize) -> Result<Self, OipError> {
        let end = header_length.unwrap_or(body.len());
        if end > body.len() {
            return Err(OipError::HeaderLength { given: end, present: body.len() });
        }
        let (json, mut binary) = body.split_at(end);
        let json: Json = serde_json::from_slice(json)?;
        let mut inputs = Vec::new();
        for input in json.inputs {
            let own = match input.parameters.binary_data_size {
                None => None,
                Some(size) if size <= binary.len() => {
                    let (own, rest) = binary.split_at(size);
                    binary = rest;
                    Some(own)
                }
                Some(given) => {
                    return Err(OipError::BinaryLength { input: input.name, given, present: binary.len() });
                }
            };
            inputs.push(input.read(own, items)?);
        }
        if !binary.is_empty() {
            return Err(OipError::Trailing(binary.len()));
        }
        // Each is written once: a repeated name would make an answer that the request's size does not bound.
        let mut asked = std::collections::BTreeSet::new();
        if let Some(twice) = json.outputs.iter().find(|output| !asked.insert(output.name.as_str())) {
            let name = twice.name.chars().take(80).collect();
            let known = "every output once".to_owned();
            return Err(OipError::Name { kind: "output", name, problem: "is requested twice", known });
        }
        let outputs = json.outputs.into_iter();
        let outputs = outputs.map(|output| {
            let OutputParameters { binary_data, classification } = output.parameters;
            // Clients that want none say 0.
            let classification = classification.filter(|&most| most > 0);
            RequestedOutput { name: output.name, binary: binary_data, classification }
        });
        Ok(Self { id: json.id, inputs, outputs: outputs.collect(), binary_outputs: json.parameters.binary_data_output })
    }

    /// The one tensor that is called `name`; no other may be there.
    ///
    /// # Errors
    /// It is missing, doubled, or another one is there.
    pub fn only(mut self, name: &str) -> Result<(InputTensor, Vec<RequestedOutput>, Option<String>, bool), OipError> {
        let wrong = |name: String, problem, known: &str| OipError::Name {
            kind: "input",
            name,
            problem,
            known: format!("one input, '{known}'"),
        };
        if let Some(other) = self.inputs.iter().find(|input| input.name != name) {
            return Err(wrong(other.name.clone(), "is unknown", name));
        }
        match (self.inputs.pop(), self.inputs.is_empty()) {
            (Some(input), true) => Ok((input, self.outputs, self.id, self.binary_outputs)),
            (Some(_), false) => Err(wrong(name.to_owned(), "is given twice", name)),
            (None, _) => Err(wrong(name.to_owned(), "is missing", name)),
        }
    }
}

impl JsonInput<'_> {
    fn read(&self, binary: Option<&[u8]>, most: usize) -> Result<InputTensor, OipError> {
        let items = match (self.datatype.as_str(), binary, self.data) {
            (_, Some(_), Some(_)) => {
                return Err(self.field("data", "given twice", "send it in JSON or in binary, not both"));
            }
            (_, None, None) => {
                return Err(self.field("data", "missing", "send data, or parameters.binary_data_size and its bytes"));
            }
            ("BYTES", Some(bytes), None) => {
                self.check_items(self.elements()?, most)?;
                self.split(bytes)?
            }
            ("BYTES", None, Some(data)) => {
                self.check_items(self.elements()?, most)?;
                let texts = flatten::strings(data, most)?;
                let decode = |text: &String| {
                    STANDARD.decode(text).map_err(|error| self.field("data", &error.to_string(), "send base64"))
                };
                texts.iter().map(decode).collect::<Result<_, _>>()?
            }
            ("UINT8", Some(bytes), None) => self.rows(bytes, most)?,
            ("UINT8", None, Some(data)) => self.rows(&flatten::numbers(data, data.get().len())?, most)?,
            (other, ..) => return Err(self.field("datatype", other, "send BYTES or UINT8")),
        };
        if self.datatype == "BYTES" && items.len() as u64 != self.elements()? {
            let given = format!("{:?} for {} elements", self.shape, items.len());
            return Err(self.field("shape", &given, "its product must be the number of elements"));
        }
        Ok(InputTensor { name: self.name.clone(), items })
    }

    /// Binary `BYTES`: every element after its length in 4 little-endian bytes.
    fn split(&self, mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, OipError> {
        let mut items = Vec::new();
        while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            if length > rest.len() {
                let value = format!("an element of {length} bytes with {} left", rest.len());
                return Err(self.field("data", &value, "send each element after its length in 4 bytes"));
            }
            let (item, rest) = rest.split_at(length);
            items.push(item.to_vec());
            bytes = rest;
        }
        match bytes.len() {
            0 => Ok(items),
            left => Err(self.field("data", &format!("{left} bytes too long"), "end it with the last element")),
        }
    }

    /// `UINT8`: `[bytes]` is one item, `[items, bytes]` several.
    fn rows(&self, bytes: &[u8], most: usize) -> Result<Vec<Vec<u8>>, OipError> {
        if self.elements()? != bytes.len() as u64 {
            let given = format!("{:?} for {} bytes", self.shape, bytes.len());
            return Err(self.field("shape", &given, "its product must be the number of bytes"));
        }
        let count = match self.shape.as_slice() {
            [_] => 1,
            [items, _] => *items,
            _ => return Err(self.field("shape", &format!("{:?}", self.shape), "send [bytes] or [items, bytes]")),
        };
        self.check_items(count, most)?;
        if count == 0 || bytes.is_empty() {
            return Err(self.field("shape", &format!("{:?}", self.shape), "send at least one item"));
        }
        Ok(bytes.chunks(bytes.len() / count as usize).map(<[u8]>::to_vec).collect())
    }

    fn elements(&self) -> Result<u64, OipError> {
        let product = self.shape.iter().try_fold(1u64, |product, &extent| product.checked_mul(extent));
        product.filter(|_| !self.shape.is_empty() && self.shape.len() <= 8).ok_or_else(|| {
            self.field("shape", &format!("of {} extents", self.shape.len()), "send 1 to 8 extents of sensible size")
        })
    }

    fn check_items(&self, count: u64, most: usize) -> Result<(), OipError> {
        if count == 0 || count > most as u64 {
            let remedy = format!("send 1 to {most} items per request");
            return Err(self.field("shape", &format!("{:?}", self.shape), &remedy));
        }
        Ok(())
    }

    fn field(&self, field: &'static str, value: &str, remedy: &str) -> OipError {
        OipError::Field { input: self.name.clone(), field, value: value.to_owned(), remedy: remedy.to_owned() }
    }
}
