//! Record batches in and out without a copy, by the capsules of the Arrow C data interface.
//!
//! The owner of a batch gives two capsules: `arrow_schema` describes the columns, `arrow_array` says where they are and
//! how to release them. The reader moves the structures out of their capsules, which then hold released ones.

#![allow(unsafe_code)] // C structures at an address

use std::ffi::{CStr, CString};

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::{Array, RecordBatch, StructArray};
use arrow_schema::{ArrowError, DataType};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";

/// The capsules of a batch: schema, array.
pub type Capsules<'py> = (Bound<'py, PyCapsule>, Bound<'py, PyCapsule>);

/// The batch of an object with `__arrow_c_array__`.
pub fn read(object: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    let capsules = object.call_method0("__arrow_c_array__");
    let (schema, array): Capsules<'_> = capsules.and_then(|capsules| Ok(capsules.extract()?)).map_err(|_| {
        PyTypeError::new_err("a record batch is wanted: give one of pyarrow, or of another Arrow library")
    })?;
    let schema = schema.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
    let array = array.pointer_checked(Some(ARRAY))?.cast::<FFI_ArrowArray>();
    // SAFETY: capsules of these names hold such structures, by the interface; the interpreter is locked, so nobody else
    // moves them meanwhile, and a released one takes their place in the capsule.
    let (schema, array) =
        unsafe { (FFI_ArrowSchema::from_raw(schema.as_ptr()), FFI_ArrowArray::from_raw(array.as_ptr())) };
    // SAFETY: both come from one call, so the array has that schema, and its buffers live until it is released.
    let data = unsafe { from_ffi(array, &schema) }.map_err(|error| PyValueError::new_err(error.to_string()))?;
    if !matches!(data.data_type(), DataType::Struct(_)) || data.nulls().is_some() {
        return Err(PyTypeError::new_err("a record batch is wanted, and this is one column"));
    }
    Ok(RecordBatch::from(StructArray::from(data)))
}

/// The capsules of a batch.
pub fn write(py: Python<'_>, batch: RecordBatch) -> PyResult<Capsules<'_>> {
    let refused = |error: ArrowError| PyValueError::new_err(error.to_string());
    let schema = FFI_ArrowSchema::try_from(&*batch.schema()).map_err(refused)?;
    let (array, _) = to_ffi(&StructArray::from(batch).to_data()).map_err(refused)?;
    let named = |name: &CStr| Some(CString::from(name));
    Ok((PyCapsule::new(py, schema, named(SCHEMA))?, PyCapsule::new(py, array, named(ARRAY))?))
}
