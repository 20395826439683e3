//! The functions that a page calls, and the one of the page that is called from here.
//!
//! Unsafe are only the export of names and the call of the import; all memory that the
//! page writes to and reads from belongs to vectors here.
#![allow(unsafe_code)]

use std::cell::RefCell;

use items::Recording;
use qfe::Encoding;
use rand::{
    rand_core::UnwrapErr,
    rngs::{SysError, SysRng},
};
use zeroize::Zeroize;

use crate::owner::Owner;

#[derive(Default)]
struct Module {
    owner: Option<Owner>,
    input: Vec<u8>,
    output: Vec<u8>,
}

thread_local! {
    // A module has one thread.
    static MODULE: RefCell<Module> = RefCell::default();
}

impl Module {
    /// Outputs what came out, or why nothing did.
    fn put(&mut self, result: Result<Vec<u8>, String>) -> u32 {
        let failed = result.is_err();
        self.output = result.unwrap_or_else(String::into_bytes);
        u32::from(failed)
    }

    fn open(&mut self, key: usize, encoder: usize, tables: usize) -> Result<Vec<u8>, String> {
        let parts = self.input.split_at_checked(key).filter(|(_, rest)| rest.len() == encoder);
        let (key, encoder) = parts.ok_or_else(|| format!("{key} + {encoder} are not the bytes of the input"))?;
        self.owner = Some(Owner::new(key, encoder, tables).map_err(|error| error.to_string())?);
        Ok(Vec::new())
    }

    fn describe(&self) -> Result<Vec<u8>, String> {
        let owner = self.owner.as_ref().ok_or_else(closed)?;
        let (n, m) = owner.key().inputs();
        let (height, width) = (owner.encoder().height(), owner.encoder().width());
        let id = owner.key().id();
        Ok(format!(r#"{{"public_key":"{id}","n":{n},"m":{m},"height":{height},"width":{width}}}"#).into_bytes())
    }

    fn form(&mut self) -> Result<Vec<u8>, String> {
        let owner = self.owner.as_mut().ok_or_else(closed)?;
        owner.take_form(&self.input).map(|()| Vec::new()).map_err(|error| error.to_string())
    }

    fn row(&mut self) -> Result<Vec<u8>, String> {
        let owner = self.owner.as_ref().ok_or_else(closed)?;
        let values = serde_json::from_slice::<Vec<String>>(&self.input).map_err(|error| error.to_string());
        self.input.zeroize();
        let mut values = values?;
        let texts: Vec<&str> = values.iter().map(String::as_str).collect();
        let item = owner.row(&texts).map_err(|error| error.to_string());
        values.zeroize();
        item
    }

    fn wav(&mut self) -> Result<Vec<u8>, String> {
        let owner = self.owner.as_mut().ok_or_else(closed)?;
        let item = owner.wav(&self.input);
        self.input.zeroize();
        item.map_err(|error| error.to_string())
    }

    fn sound(&mut self, rate: u32) -> Result<Vec<u8>, String> {
        let owner = self.owner.as_mut().ok_or_else(closed)?;
        let (samples, _) = self.input.as_chunks();
        let recording = Recording::new(samples.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(), rate);
        self.input.zeroize();
        owner.sound(&recording.map_err(|error| error.to_string())?).map_err(|error| error.to_string())
    }

    fn encode(&mut self) -> Result<Vec<u8>, String> {
        let owner = self.owner.as_ref().ok_or_else(closed)?;
        let encoded = owner.encode(&self.input);
        self.input.zeroize();
        let encoded = encoded.map_err(|error| error.to_string())?;
        Ok(serde_json::json!({ "u": encoded.u, "v": encoded.v }).to_string().into_bytes())
    }

    fn encrypt(&mut self, encoding: Encoding) -> Result<Vec<u8>, String> {
        let owner = self.owner.as_mut().ok_or_else(closed)?;
        let ciphertext = owner.encrypt(&self.input, encoding, &mut UnwrapErr(SysRng));
        self.input.zeroize();
        ciphertext.map_err(|error| error.to_string())
    }
}

fn closed() -> String {
    "no owner is open: call hl_open first".into()
}

fn with<T>(f: impl FnOnce(&mut Module) -> T) -> T {
    MODULE.with_borrow_mut(f)
}

/// Makes room for input.
#[unsafe(no_mangle)]
extern "C" fn hl_input(length: usize) -> *mut u8 {
    with(|module| {
        module.input = vec![0; length];
        module.input.as_mut_ptr()
    })
}

/// Opens an owner for the public key and the encoder in the input.
#[unsafe(no_mangle)]
extern "C" fn hl_open(key: usize, encoder: usize, tables: usize) -> u32 {
    with(|module| {
        let opened = module.open(key, encoder, tables);
        module.put(opened)
    })
}

/// Outputs JSON about key and encoder.
#[unsafe(no_mangle)]
extern "C" fn hl_describe() -> u32 {
    with(|module| module.put(module.describe()))
}

/// One step of the tables.
#[unsafe(no_mangle)]
extern "C" fn hl_prepare() -> f64 {
    with(|module| module.owner.as_mut().map_or(-1.0, Owner::prepare))
}

/// One step of a mask.
#[unsafe(no_mangle)]
extern "C" fn hl_draw() -> f64 {
    with(|module| module.owner.as_mut().map_or(-1.0, |owner| owner.draw(&mut UnwrapErr(SysRng))))
}

/// Masks ready.
#[unsafe(no_mangle)]
extern "C" fn hl_masks() -> usize {
    with(|module| module.owner.as_ref().map_or(0, Owner::masks))
}

/// Loads the form in the input.
#[unsafe(no_mangle)]
extern "C" fn hl_form() -> u32 {
    with(|module| {
        let taken = module.form();
        module.put(taken)
    })
}

/// Outputs the item of the row in the input.
#[unsafe(no_mangle)]
extern "C" fn hl_row() -> u32 {
    with(|module| {
        let item = module.row();
        module.put(item)
    })
}

/// Outputs the item of the WAV file in the input.
#[unsafe(no_mangle)]
extern "C" fn hl_wav() -> u32 {
    with(|module| {
        let item = module.wav();
        module.put(item)
    })
}

/// Outputs the item of the samples in the input.
#[unsafe(no_mangle)]
extern "C" fn hl_sound(rate: u32) -> u32 {
    with(|module| {
        let item = module.sound(rate);
        module.put(item)
    })
}

/// Outputs the levels of the item in the input as JSON.
#[unsafe(no_mangle)]
extern "C" fn hl_encode() -> u32 {
    with(|module| {
        let encoded = module.encode();
        module.put(encoded)
    })
}

/// Encrypts the item in the input.
#[unsafe(no_mangle)]
extern "C" fn hl_encrypt(compressed: u32) -> u32 {
    let encoding = if compressed == 0 { Encoding::Uncompressed } else { Encoding::Compressed };
    with(|module| {
        let ciphertext = module.encrypt(encoding);
        module.put(ciphertext)
    })
}

/// Where the output begins.
#[unsafe(no_mangle)]
extern "C" fn hl_output() -> *const u8 {
    with(|module| module.output.as_ptr())
}

/// Bytes of output.
#[unsafe(no_mangle)]
extern "C" fn hl_output_length() -> usize {
    with(|module| module.output.len())
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn hl_random(address: *mut u8, length: usize);
}

/// What the system's randomness is here: the name is the contract of the `getrandom` crate.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(address: *mut u8, length: usize) -> Result<(), SysError> {
    // SAFETY: the caller owns `length` bytes there; the page fills them or throws.
    unsafe { hl_random(address, length) };
    Ok(())
}
