//! Reads `ModelInferRequest` without copies except of the items themselves, so that no message takes more memory than
//! the same items over REST: generated readers keep hundreds of bytes for an empty tensor of two bytes.

use super::{InferRequest, InputTensor, RequestedOutput};

/// Maximum number of input tensors and of output tensors in a request: more than any model has.
const MOST_TENSORS: usize = 16;

/// A request over gRPC, which names its model itself.
#[derive(Debug)]
pub struct Call {
    /// Which model is asked.
    pub model: String,
    /// Which version of it; empty leaves it to the server.
    pub version: String,
    /// What it is asked.
    pub request: InferRequest,
}

/// A value of a field.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Fixed lengths, of no field that is read.
    Other,
}

/// The fields of a message, one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The next field and its number; none at the end.
    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, String> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => self.take(8).map(|_| Value::Other)?,
            2 => {
                let length = self.number()?;
                Value::Bytes(self.take(usize::try_from(length).map_err(|_| "a length is out of range")?)?)
            }
            5 => self.take(4).map(|_| Value::Other)?,
            kind => return Err(format!("a field has the wire type {kind}")),
        };
        match key >> 3 {
            0 => Err("a field has the number 0".into()),
            field => Ok(Some((field, value))),
        }
    }

    fn number(&mut self) -> Result<u64, String> {
        let mut number = 0u64;
        for shift in (0..70).step_by(7) {
            let [byte] = self.take(1)? else { break };
            number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("a number is longer than ten bytes".into())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("it ends within a field")?;
        self.0 = rest;
        Ok(taken)
    }
}

/// A tensor as it is in the message.
#[derive(Default)]
struct Tensor<'a> {
    name: String,
    datatype: String,
    shape: Vec<u64>,
    /// `contents`, where the tensor has its own.
    contents: Option<&'a [u8]>,
}

impl Call {
    /// Reads a message of at most `most` items.
    ///
    /// # Errors
    /// What is wrong with it, and what to send.
    pub fn parse(message: &[u8], most: usize) -> Result<Self, String> {
        let mut fields = Fields(message);
        let (mut model, mut version, mut id) = (String::new(), String::new(), String::new());
        let (mut tensors, mut outputs, mut raw) = (Vec::new(), Vec::new(), Vec::new());
        while let Some((field, value)) = fields.next()? {
            match (field, value) {
                (1, Value::Bytes(bytes)) => model = text(bytes, "model_name")?,
                (2, Value::Bytes(bytes)) => version = text(bytes, "model_version")?,
                (3, Value::Bytes(bytes)) => id = text(bytes, "id")?,
                (5, Value::Bytes(bytes)) => push(&mut tensors, tensor(bytes)?, "inputs")?,
                (6, Value::Bytes(bytes)) => push(&mut outputs, output(bytes)?, "outputs")?,
                (7, Value::Bytes(bytes)) => push(&mut raw, bytes, "raw_input_contents")?,
                _ => {}
            }
        }
        if !raw.is_empty() && raw.len() != tensors.len() {
            let (raw, tensors) = (raw.len(), tensors.len());
            return Err(format!("raw_input_contents has {raw} entries for {tensors} inputs; send one for each"));
        }
        let mut twice = std::collections::BTreeSet::new();
        if let Some(output) = outputs.iter().find(|output| !twice.insert(output.name.clone())) {
            let name: String = output.name.chars().take(80).collect();
            return Err(format!("output '{name}' is requested twice; request every output once"));
        }
        let inputs = tensors.into_iter().enumerate();
        let inputs = inputs.map(|(place, tensor)| tensor.items(raw.get(place).copied(), most));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let id = Some(id).filter(|id| !id.is_empty());
        Ok(Self { model, version, request: InferRequest { id, inputs, outputs, binary_outputs: true } })
    }
}

impl Tensor<'_> {
    /// Its items: those of `raw`, or else of its own contents.
    fn items(self, raw: Option<&[u8]>, most: usize) -> Result<InputTensor, String> {
        let wrong = |problem: String| format!("input '{}': {problem}", self.name);
        let shape = self.shape.as_slice();
        let product = shape.iter().try_fold(1u64, |product, &extent| product.checked_mul(extent));
        let elements = product.filter(|_| (1..=8).contains(&shape.len())).ok_or_else(|| {
            wrong(format!("shape is of {} extents; send 1 to 8 extents of sensible size", shape.len()))
        })?;
        let count = match (self.datatype.as_str(), shape) {
            ("BYTES", _) => elements,
            ("UINT8", [_]) => 1,
            ("UINT8", [items, _]) => *items,
            ("UINT8", _) => return Err(wrong(format!("shape is {shape:?}; send [bytes] or [items, bytes]"))),
            (other, _) => return Err(wrong(format!("datatype is {other}; send BYTES or UINT8"))),
        };
        if count == 0 || elements == 0 || count > most as u64 {
            return Err(wrong(format!("shape is {shape:?}; send 1 to {most} items per request")));
        }
        let items = match (self.datatype.as_str(), raw, self.contents) {
            (_, Some(_), Some(_)) => {
                return Err(wrong("data is given twice; send contents or raw_input_contents".into()));
            }
            (_, None, None) => return Err(wrong("data is missing; send contents or raw_input_contents".into())),
            ("BYTES", Some(raw), None) => split(raw, count as usize).map_err(wrong)?,
            ("BYTES", None, Some(contents)) => elements_of(contents, count as usize).map_err(wrong)?,
            (_, Some(raw), None) => rows(raw, elements, count as usize).map_err(wrong)?,
            (_, None, Some(contents)) => {
                let bytes = octets(contents, elements).map_err(wrong)?;
                rows(&bytes, elements, count as usize).map_err(wrong)?
            }
        };
        if items.len() as u64 != count {
            return Err(wrong(format!("shape is {shape:?} for {} elements; they must agree", items.len())));
        }
        Ok(InputTensor { name: self.name, items })
    }
}

fn push<T>(list: &mut Vec<T>, value: T, name: &str) -> Result<(), String> {
    if list.len() == MOST_TENSORS {
        return Err(format!("{name} has more than {MOST_TENSORS} entries"));
    }
    list.push(value);
    Ok(())
}

fn text(bytes: &[u8], name: &str) -> Result<String, String> {
    if bytes.len() > 4096 {
        return Err(format!("{name} has {} bytes; send at most 4096", bytes.len()));
    }
    String::from_utf8(bytes.to_vec()).map_err(|_| format!("{name} is not UTF-8"))
}

fn tensor(bytes: &[u8]) -> Result<Tensor<'_>, String> {
    let (mut fields, mut tensor) = (Fields(bytes), Tensor::default());
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (1, Value::Bytes(bytes)) => tensor.name = text(bytes, "name")?,
            (2, Value::Bytes(bytes)) => tensor.datatype = text(bytes, "datatype")?,
            (3, Value::Number(extent)) => push(&mut tensor.shape, extent, "shape")?,
            (3, Value::Bytes(packed)) => {
                let mut packed = Fields(packed);
                while !packed.0.is_empty() {
                    let extent = packed.number()?;
                    push(&mut tensor.shape, extent, "shape")?;
                }
            }
            (5, Value::Bytes(contents)) => tensor.contents = Some(contents),
            _ => {}
        }
    }
    Ok(tensor)
}

fn output(bytes: &[u8]) -> Result<RequestedOutput, String> {
    let (mut fields, mut name, mut classification) = (Fields(bytes), String::new(), None);
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (1, Value::Bytes(bytes)) => name = text(bytes, "name")?,
            // One parameter: its name, and its value in one of several fields.
            (2, Value::Bytes(entry)) => {
                let (mut fields, mut known, mut number) = (Fields(entry), false, None);
                while let Some((field, value)) = fields.next()? {
                    match (field, value) {
                        (1, Value::Bytes(key)) => known = key == b"classification",
                        (2, Value::Bytes(choice)) => {
                            let mut choice = Fields(choice);
                            while let Some((_, value)) = choice.next()? {
                                if let Value::Number(value) = value {
                                    number = Some(value);
                                }
                            }
                        }
                        _ => {}
                    }
                }
                if known {
                    classification = number.and_then(|most| usize::try_from(most).ok()).filter(|&most| most > 0);
                }
            }
            _ => {}
        }
    }
    Ok(RequestedOutput { name, binary: None, classification })
}

/// Elements of `BYTES`, each after its length in 4 little-endian bytes.
fn split(mut bytes: &[u8], most: usize) -> Result<Vec<Vec<u8>>, String> {
    let mut items = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let (item, rest) = rest
            .split_at_checked(length)
            .filter(|_| items.len() < most)
            .ok_or("data does not end with its last element; send each one after its length in 4 bytes")?;
        items.push(item.to_vec());
        bytes = rest;
    }
    if bytes.is_empty() { Ok(items) } else { Err(format!("data is {} bytes too long", bytes.len())) }
}

/// `bytes_contents`.
fn elements_of(contents: &[u8], most: usize) -> Result<Vec<Vec<u8>>, String> {
    let (mut fields, mut items) = (Fields(contents), Vec::new());
    while let Some((field, value)) = fields.next()? {
        if let (8, Value::Bytes(item)) = (field, value) {
            if items.len() == most {
                return Err(format!("bytes_contents has more than {most} elements, the number in its shape"));
            }
            items.push(item.to_vec());
        }
    }
    Ok(items)
}

/// `uint_contents`, packed or not, as bytes.
fn octets(contents: &[u8], most: u64) -> Result<Vec<u8>, String> {
    let (mut fields, mut bytes) = (Fields(contents), Vec::new());
    let mut push = |value: u64| match u8::try_from(value) {
        Ok(_) if bytes.len() as u64 == most => Err(format!("uint_contents has more than {most} numbers")),
        Ok(value) => {
            bytes.push(value);
            Ok(())
        }
        Err(_) => Err(format!("{value} does not fit UINT8")),
    };
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (4, Value::Number(value)) => push(value)?,
            (4, Value::Bytes(packed)) => {
                let mut packed = Fields(packed);
                while !packed.0.is_empty() {
                    push(packed.number()?)?;
                }
            }
            _ => {}
        }
    }
    Ok(bytes)
}

fn rows(bytes: &[u8], elements: u64, count: usize) -> Result<Vec<Vec<u8>>, String> {
    if elements != bytes.len() as u64 {
        return Err(format!("its shape is of {elements} bytes, but {} were sent", bytes.len()));
    }
    Ok(bytes.chunks(bytes.len() / count).map(<[u8]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    #[derive(Clone, PartialEq, Message)]
    struct Request {
        #[prost(string, tag = "1")]
        model_name: String,
        #[prost(string, tag = "2")]
        model_version: String,
        #[prost(string, tag = "3")]
        id: String,
        #[prost(message, repeated, tag = "5")]
        inputs: Vec<Input>,
        #[prost(message, repeated, tag = "6")]
        outputs: Vec<Output>,
        #[prost(bytes = "vec", repeated, tag = "7")]
        raw: Vec<Vec<u8>>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Input {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(string, tag = "2")]
        datatype: String,
        #[prost(int64, repeated, tag = "3")]
        shape: Vec<i64>,
        #[prost(message, optional, tag = "5")]
        contents: Option<Contents>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Contents {
        #[prost(uint32, repeated, tag = "4")]
        uint: Vec<u32>,
        #[prost(bytes = "vec", repeated, tag = "8")]
        bytes: Vec<Vec<u8>>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Output {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(map = "string, message", tag = "2")]
        parameters: std::collections::HashMap<String, Parameter>,
    }

    #[derive(Clone, Copy, PartialEq, Message)]
    struct Parameter {
        #[prost(int64, tag = "2")]
        number: i64,
    }

    fn request(datatype: &str, shape: &[i64], contents: Option<Contents>, raw: &[&[u8]]) -> Request {
        let input = Input { name: "ciphertext".into(), datatype: datatype.into(), shape: shape.to_vec(), contents };
        let parameters = [("classification".to_owned(), Parameter { number: 2 })].into();
        Request {
            model_name: "digits".into(),
            model_version: "7".into(),
            id: "a".into(),
            inputs: vec![input],
            outputs: vec![Output { name: "output".into(), parameters }],
            raw: raw.iter().map(|raw| raw.to_vec()).collect(),
        }
    }

    fn items(request: &Request) -> Result<Vec<Vec<u8>>, String> {
        Ok(Call::parse(&request.encode_to_vec(), 4)?.request.inputs.remove(0).items)
    }

    /// Messages from another implementation of the format are read correctly.
    #[test]
    fn every_form_of_the_items_is_read() {
        let raw = [2, 0, 0, 0, 8, 9, 1, 0, 0, 0, 7];
        let call = Call::parse(&request("BYTES", &[2], None, &[&raw]).encode_to_vec(), 4).unwrap();
        assert_eq!((call.model.as_str(), call.version.as_str()), ("digits", "7"));
        assert_eq!(call.request.id.as_deref(), Some("a"));
        assert_eq!(call.request.inputs[0].items, [vec![8, 9], vec![7]]);
        let output = RequestedOutput { name: "output".into(), binary: None, classification: Some(2) };
        assert_eq!(call.request.outputs, [output]);
        let own = |uint: &[u32], bytes: &[&[u8]]| {
            Some(Contents { uint: uint.to_vec(), bytes: bytes.iter().map(|bytes| bytes.to_vec()).collect() })
        };
        assert_eq!(items(&request("BYTES", &[1, 2], own(&[], &[b"x", b"yz"]), &[])).unwrap(), [&b"x"[..], b"yz"]);
        assert_eq!(items(&request("UINT8", &[2, 2], own(&[1, 2, 3, 255], &[]), &[])).unwrap(), [[1, 2], [3, 255]]);
        assert_eq!(items(&request("UINT8", &[3], None, &[&[1, 2, 3]])).unwrap(), [[1, 2, 3]]);
    }

    #[test]
    fn what_cannot_be_is_named() {
        let own = |uint: &[u32]| Some(Contents { uint: uint.to_vec(), bytes: Vec::new() });
        for (request, word) in [
            (request("FP32", &[1], None, &[&[1]]), "datatype is FP32"),
            (request("BYTES", &[5], None, &[&[]]), "1 to 4 items"),
            (request("UINT8", &[0], None, &[&[]]), "1 to 4 items"),
            (request("UINT8", &[-1], None, &[&[1]]), "but 1 were sent"),
            (request("UINT8", &[i64::MAX, i64::MAX], None, &[&[1]]), "sensible size"),
            (request("UINT8", &[2], None, &[&[1]]), "2 bytes"),
            (request("UINT8", &[1], own(&[256]), &[]), "does not fit"),
            (request("UINT8", &[1], own(&[1, 2]), &[]), "more than 1 numbers"),
            (request("UINT8", &[1], own(&[1]), &[&[1]]), "twice"),
            (request("UINT8", &[1], None, &[]), "missing"),
            (request("UINT8", &[1], None, &[&[1], &[1]]), "2 entries for 1"),
            (request("BYTES", &[2], None, &[&[0, 0, 0, 0]]), "for 1 elements"),
            (request("BYTES", &[1], None, &[&[9, 0, 0, 0, 1]]), "after its length"),
            (request("BYTES", &[1], own(&[]), &[]), "for 0 elements"),
        ] {
            let error = items(&request).unwrap_err();
            assert!(error.contains(word), "{word}: {error}");
        }
        let mut twice = request("UINT8", &[1], None, &[&[1]]);
        twice.outputs.push(twice.outputs[0].clone());
        assert!(items(&twice).unwrap_err().contains("twice"));
    }

    /// Two bytes for each of millions of empty tensors.
    #[test]
    fn empty_tensors_take_no_memory() {
        for field in [5u8, 6, 7] {
            let message = [field << 3 | 2, 0].repeat(1 << 20);
            assert!(Call::parse(&message, 4).unwrap_err().contains("more than 16"));
        }
    }

    proptest! {
        #[test]
        fn no_message_panics(message in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Call::parse(&message, 4);
        }

        #[test]
        fn no_changed_message_panics(place in 0usize..60, with: u8) {
            let mut message = request("BYTES", &[2], None, &[&[2, 0, 0, 0, 8, 9, 1, 0, 0, 0, 7]]).encode_to_vec();
            let place = place % message.len();
            message[place] = with;
            let _ = Call::parse(&message, 4);
        }
    }
}
