//! Any body of an inference request, from the protocol through the envelope to the ciphertext.
//!
//! The first two bytes say where the JSON part ends (65,535: nowhere said). `request.dict` holds the words.

use qfe::{Ciphertext, Kind, peek};
use service::envelope::Envelope;
use service::oip::{InferRequest, InferResponse, OutputTensor, Values};

/// Maximum number of items of a request.
const ITEMS: usize = 4;

/// Runs one input.
pub fn run(data: &[u8]) {
    let Some((length, body)) = data.split_first_chunk::<2>() else { return };
    let length = u16::from_le_bytes(*length);
    let header = (length != u16::MAX).then_some(usize::from(length));
    let Ok(request) = InferRequest::parse(body, header, ITEMS) else { return };
    let bytes: usize = request.inputs.iter().flat_map(|input| &input.items).map(Vec::len).sum();
    assert!(bytes <= body.len(), "{bytes} bytes from a body of {}", body.len());
    assert!(request.inputs.iter().all(|input| (1..=ITEMS).contains(&input.items.len())));
    let Ok((input, outputs, id, binary)) = request.only("ciphertext") else { return };
    let tensor =
        OutputTensor { name: "output", shape: vec![1, 2], values: Values::Int64(vec![i64::MIN, 7]), labels: vec![] };
    let answer = InferResponse { model: "m".into(), version: "v".into(), id, outputs: vec![tensor] };
    if let Ok((text, end)) = answer.body(&outputs, binary) {
        serde_json::from_slice::<serde_json::Value>(&text[..end.unwrap_or(text.len())]).expect("an answer is JSON");
    }
    for item in input.items {
        let ciphertext = if Envelope::is(&item) {
            let Ok(envelope) = Envelope::open(&item) else { continue };
            if envelope.signer.is_none() {
                assert_eq!(envelope.seal(None).expect("it was sealed before"), item, "one envelope, one text");
            }
            envelope.body
        } else {
            item
        };
        let Ok(header) = peek(&ciphertext) else { continue };
        if header.kind == Kind::Ciphertext
            && let Ok(read) = Ciphertext::from_bytes(&ciphertext)
        {
            assert_eq!(read.encode(header.encoding), ciphertext);
        }
    }
}
