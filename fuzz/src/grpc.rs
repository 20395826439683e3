//! Any message that asks for predictions over gRPC. The items that are read take no more bytes than the message.

use service::oip::Call;

/// Maximum number of items of a request.
const ITEMS: usize = 4;

/// Runs one input.
pub fn run(data: &[u8]) {
    let Ok(call) = Call::parse(data, ITEMS) else { return };
    let inputs = &call.request.inputs;
    let bytes: usize = inputs.iter().flat_map(|input| &input.items).map(Vec::len).sum();
    // Contents of numbers may be packed, a byte each; an entry of `raw_input_contents` is of one input.
    assert!(bytes <= data.len(), "{bytes} bytes from a message of {}", data.len());
    assert!(inputs.iter().all(|input| (1..=ITEMS).contains(&input.items.len())));
    let _ = call.request.only("ciphertext");
}
