//! Rows from columns, whatever type the engine uses.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef, BinaryArray, BinaryViewArray, FixedSizeBinaryArray, LargeBinaryArray, RecordBatch};
use arrow_schema::DataType;
use roles::clock;

use crate::BulkError;

/// The column of a name.
pub(crate) fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, BulkError> {
    batch
        .column_by_name(name)
        .ok_or_else(|| missing(name, batch.schema_ref().fields().iter().map(|field| field.name())))
}

pub(crate) fn missing<'a>(name: &str, names: impl Iterator<Item = &'a String>) -> BulkError {
    let names: Vec<&str> = names.map(String::as_str).collect();
    BulkError::column(name, format!("is missing; the records have {}: name one of these", names.join(", ")))
}

/// A binary column.
pub(crate) enum Blobs<'a> {
    Small(&'a BinaryArray),
    Large(&'a LargeBinaryArray),
    View(&'a BinaryViewArray),
    Fixed(&'a FixedSizeBinaryArray),
}

impl<'a> Blobs<'a> {
    /// Whether a column of this type is binary.
    pub fn takes(kind: &DataType) -> bool {
        use DataType::{Binary, BinaryView, FixedSizeBinary, LargeBinary};
        matches!(kind, Binary | BinaryView | FixedSizeBinary(_) | LargeBinary)
    }

    pub fn of(array: &'a ArrayRef) -> Option<Self> {
        None.or_else(|| array.as_binary_opt::<i64>().map(Self::Large))
            .or_else(|| array.as_binary_opt::<i32>().map(Self::Small))
            .or_else(|| array.as_binary_view_opt().map(Self::View))
            .or_else(|| array.as_fixed_size_binary_opt().map(Self::Fixed))
    }

    /// The bytes of a row; none if it is null.
    pub fn get(&self, row: usize) -> Option<&'a [u8]> {
        match self {
            Self::Small(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Fixed(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }
}

/// A column of bytes: binary, or lists of whole numbers from 0 to 255.
pub(crate) enum Pixels<'a> {
    Blobs(Blobs<'a>),
    Lists(&'a ArrayRef),
}

impl<'a> Pixels<'a> {
    pub fn of(name: &str, array: &'a ArrayRef) -> Result<Self, BulkError> {
        if let Some(blobs) = Blobs::of(array) {
            return Ok(Self::Blobs(blobs));
        }
        if Self::takes(array.data_type()) { Ok(Self::Lists(array)) } else { Err(Self::wrong(name, array.data_type())) }
    }

    /// Whether columns of this type hold items.
    pub fn takes(kind: &DataType) -> bool {
        match kind {
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                item.data_type().is_integer()
            }
            kind => Blobs::takes(kind),
        }
    }

    pub fn wrong(name: &str, kind: &DataType) -> BulkError {
        BulkError::column(name, format!("is {kind}: items are binary, or lists of whole numbers from 0 to 255"))
    }

    /// The bytes of a row, or why there are none.
    pub fn get(&self, row: usize) -> Result<Cow<'a, [u8]>, String> {
        let nothing = || "it has no item".to_owned();
        let array = match self {
            Self::Blobs(blobs) => return blobs.get(row).map(Cow::Borrowed).ok_or_else(nothing),
            Self::Lists(array) => array,
        };
        if array.is_null(row) {
            return Err(nothing());
        }
        let list = match array.data_type() {
            DataType::FixedSizeList(..) => array.as_fixed_size_list().value(row),
            DataType::LargeList(_) => array.as_list::<i64>().value(row),
            _ => array.as_list::<i32>().value(row),
        };
        if list.null_count() > 0 {
            return Err("a value of its item is missing".into());
        }
        if let Some(bytes) = list.as_primitive_opt::<UInt8Type>() {
            return Ok(Cow::Owned(bytes.values().to_vec()));
        }
        let numbers = Texts::of(&list).ok_or_else(nothing)?;
        let byte = |place| -> Option<u8> { numbers.get(place)?.parse().ok() };
        let bytes = (0..list.len()).map(byte).collect::<Option<Vec<u8>>>();
        bytes.map(Cow::Owned).ok_or_else(|| "a value of its item is not a whole number from 0 to 255".into())
    }
}

/// A column whose values can be written as texts.
pub(crate) struct Texts<'a>(&'a ArrayRef);

impl<'a> Texts<'a> {
    pub fn of(array: &'a ArrayRef) -> Option<Self> {
        Self::takes(array.data_type()).then_some(Self(array))
    }

    /// Whether columns of this type can be written.
    pub fn takes(kind: &DataType) -> bool {
        use DataType::{Boolean, Date32, Dictionary, Float32, Float64, LargeUtf8, Utf8, Utf8View};
        match kind {
            Dictionary(key, value) => key.is_signed_integer() && matches!(**value, Utf8 | LargeUtf8),
            kind if kind.is_integer() => true,
            kind => matches!(kind, Boolean | Date32 | Float32 | Float64 | LargeUtf8 | Utf8 | Utf8View),
        }
    }

    /// The text of a row; none if it is null. Numbers are the shortest ones that parse back to the same value.
    pub fn get(&self, row: usize) -> Option<Cow<'a, str>> {
        text(self.0, row)
    }
}

fn text(array: &ArrayRef, row: usize) -> Option<Cow<'_, str>> {
    if array.is_null(row) {
        return None;
    }
    macro_rules! number {
        ($kind:ty) => {
            Cow::Owned(array.as_primitive::<$kind>().value(row).to_string())
        };
    }
    macro_rules! entry {
        ($key:ty) => {{
            let dictionary = array.as_dictionary::<$key>();
            let place = usize::try_from(dictionary.keys().value(row)).ok()?;
            return text(dictionary.values(), place);
        }};
    }
    Some(match array.data_type() {
        DataType::Utf8 => Cow::Borrowed(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Cow::Borrowed(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Cow::Borrowed(array.as_string_view().value(row)),
        DataType::Boolean => Cow::Borrowed(if array.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float32 => number!(Float32Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Date32 => {
            let date = clock::utc(i64::from(array.as_primitive::<Date32Type>().value(row)) * 86_400);
            Cow::Owned(date.split('T').next().unwrap_or_default().to_owned())
        }
        DataType::Dictionary(key, _) => match **key {
            DataType::Int8 => entry!(Int8Type),
            DataType::Int16 => entry!(Int16Type),
            DataType::Int32 => entry!(Int32Type),
            DataType::Int64 => entry!(Int64Type),
            _ => return None,
        },
        _ => return None,
    })
}
