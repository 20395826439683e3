//! NumPy archives: one array of items, one array per label.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use host::Progress;
use serde::{Deserialize, Serialize};
use zip::ZipArchive;

use super::rows::{Row, Rows};
use super::{TableOptions, TableRules};
use crate::import::{Budget, ImportError, Imported};
use crate::schema::Cell;
use crate::{Dataset, Labels};

/// The roles of the arrays of an archive.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArrayOptions {
    /// The array of items, `[N, D]`, `[N, H, W]` or `[N, H, W, 1]`; if empty, the array of largest rank.
    pub items: String,
    /// The arrays `[N]` that are labels; if empty, those of the schema, or without one all arrays of integers, booleans
    /// or texts of rank 1 and length N.
    pub labels: Vec<String>,
    /// Scale every column by rank, for heavy tails.
    pub quantile: bool,
    /// The rules, and the schema to read by. NaN counts as missing.
    pub rules: TableRules,
}

/// A header is one line of text.
const HEADER_LIMIT: usize = 1 << 16;

/// An array: its shape and numbers, or texts, in row order.
struct Array {
    shape: Vec<usize>,
    values: Values,
}

enum Values {
    Bytes(Vec<u8>),
    /// Integers and booleans, which can be labels.
    Integers(Vec<i64>),
    Floats(Vec<f32>),
    Texts(Vec<String>),
}

/// Imports a NumPy archive (`numpy.savez`, `numpy.savez_compressed`). Items of u8 and rank 3 are
/// pictures; all others are features, quantised column by column, named `x[0]`, `x[1]` … by their array.
pub fn npz(
    path: &Path,
    options: &ArrayOptions,
    skip_bad: bool,
    progress: &dyn Progress,
) -> Result<Imported, ImportError> {
    let wrong = |problem: String| ImportError::Description { path: path.into(), problem };
    let budget = Budget::new(options.rules.budget);
    let mut arrays = read(path, &budget)?;
    let items = match options.items.as_str() {
        "" => arrays.iter().max_by_key(|(_, array)| array.shape.len()).map(|(name, _)| name.clone()),
        name => Some(name.to_string()),
    };
    let known = arrays.keys().cloned().collect::<Vec<_>>().join(", ");
    let none = |name: &str| wrong(format!("it has no array `{name}`; choose one of {known}"));
    let name = items.ok_or_else(|| wrong("it is empty".into()))?;
    let items = arrays.remove(&name).ok_or_else(|| none(&name))?;
    let (count, height, width) = match items.shape[..] {
        [count, width] => (count, 1, width),
        [count, height, width] | [count, height, width, 1] => (count, height, width),
        _ => return Err(wrong(format!("its array `{name}` has shape {:?}: give [N, D] or [N, H, W]", items.shape))),
    };
    if count == 0 || height == 0 || width == 0 {
        return Err(wrong(format!("its array `{name}` has shape {:?}, which has no elements", items.shape)));
    }
    if matches!(items.values, Values::Texts(_)) {
        return Err(wrong(format!("its array `{name}` holds texts, not numbers")));
    }

    let is_label = |array: &Array| array.shape == [count] && !matches!(array.values, Values::Floats(_));
    let labels: Vec<String> = match &options.labels[..] {
        [] => arrays.iter().filter(|(_, array)| is_label(array)).map(|(name, _)| name.clone()).collect(),
        names => names.to_vec(),
    };
    let mut columns = Vec::with_capacity(labels.len());
    for label in &labels {
        let array = arrays.remove(label).ok_or_else(|| none(label))?;
        if !is_label(&array) {
            let problem =
                format!("its array `{label}` is not a label: give {count} integers or texts, not {:?}", array.shape);
            return Err(wrong(problem));
        }
        columns.push(array.values);
    }

    if let (Values::Bytes(_), true) = (&items.values, items.shape.len() > 2) {
        if options.rules.like.is_some() {
            return Err(wrong(format!(
                "its array `{name}` holds pictures, which have no schema: import it without one"
            )));
        }
        let Values::Bytes(bytes) = items.values else { return Err(none(&name)) };
        // A text and a number for each label while classes are looked up.
        budget.keep(64 * (count * labels.len()) as u64).map_err(ImportError::memory(path))?;
        let text = |values: &Values| (0..count).map(|row| values.text(row).into_owned()).collect::<Vec<_>>();
        let columns = labels.into_iter().zip(&columns).map(|(label, values)| Labels::from_texts(label, &text(values)));
        let about = BTreeMap::from([("generator".into(), GENERATOR.into())]);
        let data = Dataset::new(height, width, bytes, columns.collect(), about)?;
        return Ok(Imported { data, skipped: vec![], filtered: BTreeMap::new(), handled: vec![], ignored: vec![] });
    }
    let width = height * width;
    let names: Vec<String> = (0..width).map(|place| format!("{name}[{place}]")).collect();
    let rules = options.rules.clone();
    let asked = if options.rules.like.is_some() { options.labels.clone() } else { labels.clone() };
    let quantile = if options.quantile { names.clone() } else { vec![] };
    let header = names.into_iter().chain(labels).collect();
    let arrays = Arrays { header, count, width, height, items: items.values, labels: columns };
    let options = TableOptions { labels: asked, quantile, rules, ..TableOptions::default() };
    super::import(&arrays, path, &options, &budget, skip_bad, progress)
}

const GENERATOR: &str = "imported NumPy arrays";

/// The arrays as rows.
struct Arrays {
    header: Vec<String>,
    count: usize,
    width: usize,
    height: usize,
    items: Values,
    labels: Vec<Values>,
}

impl Rows for Arrays {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn generator(&self) -> &'static str {
        GENERATOR
    }

    fn height(&self) -> usize {
        self.height
    }

    fn needs_labels(&self) -> bool {
        false
    }

    fn visit(&self, visit: &mut dyn FnMut(u64, Row) -> Result<(), ImportError>) -> Result<(), ImportError> {
        let mut cells = Vec::with_capacity(self.header.len());
        for row in 0..self.count {
            cells.clear();
            cells.extend((0..self.width).map(|place| Cell::Number(self.items.number(row * self.width + place))));
            cells.extend(self.labels.iter().map(|values| Cell::Text(values.text(row))));
            visit(row as u64 + 1, Ok(&cells))?;
        }
        Ok(())
    }
}

impl Values {
    fn text(&self, place: usize) -> Cow<'_, str> {
        match self {
            Values::Bytes(numbers) => Cow::Owned(numbers[place].to_string()),
            Values::Integers(numbers) => Cow::Owned(numbers[place].to_string()),
            Values::Floats(numbers) => Cow::Owned(numbers[place].to_string()),
            Values::Texts(texts) => Cow::Borrowed(&texts[place]),
        }
    }

    fn number(&self, place: usize) -> f32 {
        match self {
            Values::Bytes(numbers) => f32::from(numbers[place]),
            Values::Integers(numbers) => numbers[place] as f32,
            Values::Floats(numbers) => numbers[place],
            Values::Texts(_) => f32::NAN,
        }
    }
}

fn read(path: &Path, budget: &Budget) -> Result<BTreeMap<String, Array>, ImportError> {
    let file = File::open(path).map_err(|source| ImportError::Io { path: path.into(), source })?;
    let wrong = |problem: String| ImportError::Description { path: path.into(), problem };
    let damaged = |error: zip::result::ZipError| wrong(format!("not a readable NumPy archive: {error}"));
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    let mut arrays = BTreeMap::new();
    for place in 0..archive.len() {
        let entry = archive.by_index(place).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.into_owned();
        let Some(name) = name.strip_suffix(".npy").map(str::to_string) else { continue };
        let array = read_array(entry, budget);
        arrays.insert(name.clone(), array.map_err(|problem| wrong(format!("its array `{name}` {problem}")))?);
    }
    Ok(arrays)
}

/// One array in NumPy's own format: magic, version, a Python dictionary, the elements.
fn read_array(mut entry: impl Read, budget: &Budget) -> Result<Array, String> {
    let cut = |error: std::io::Error| format!("is truncated or damaged: {error}");
    let mut start = [0; 8];
    entry.read_exact(&mut start).map_err(cut)?;
    if &start[..6] != b"\x93NUMPY" {
        return Err("is not in NumPy's format".into());
    }
    let mut length = [0; 4];
    let size = if start[6] == 1 { 2 } else { 4 };
    entry.read_exact(&mut length[..size]).map_err(cut)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > HEADER_LIMIT {
        return Err(format!("states a header of {length} bytes"));
    }
    let mut header = vec![0; length];
    entry.read_exact(&mut header).map_err(cut)?;
    let header = String::from_utf8_lossy(&header);

    let element = value(&header, "descr").map(|text| text.trim().trim_matches(['\'', '"']).to_string());
    let element = element.ok_or("has no element type")?;
    if value(&header, "fortran_order").is_none_or(|text| !text.trim_start().starts_with("False")) {
        return Err("is in Fortran order: save numpy.ascontiguousarray of it".into());
    }
    let shape = value(&header, "shape").and_then(parse_shape).ok_or("has no readable shape")?;
    let count = shape.iter().try_fold(1u64, |count, &size| count.checked_mul(size as u64));
    let size = element_size(&element)
        .ok_or_else(|| format!("has elements of type {element}: convert them to numbers or texts"))?;
    let large = || format!("of shape {shape:?} takes too much memory");
    let count = count.ok_or_else(large)?;
    let bytes = count.checked_mul(size as u64).ok_or_else(large)?;
    let over = |over: crate::import::OverBudget| format!("of shape {shape:?} takes too much memory: {over}");
    // Both the bytes and the values made of them exist for a while.
    let held = budget.hold(bytes).map_err(over)?;
    budget.keep(kept_bytes(&element, count, bytes)).map_err(over)?;
    let mut data = Vec::new();
    data.try_reserve_exact(usize::try_from(bytes).map_err(|_| large())?).map_err(|_| large())?;
    (&mut entry).take(bytes).read_to_end(&mut data).map_err(cut)?;
    if data.len() as u64 != bytes {
        return Err(format!("is truncated: {} of {bytes} bytes", data.len()));
    }
    let values = parse_values(&element, size, data);
    drop(held);
    Ok(Array { shape, values })
}

/// What the values of an array take in memory.
fn kept_bytes(element: &str, count: u64, bytes: u64) -> u64 {
    match element {
        "|u1" => count,
        "<f4" | "<f8" => count.saturating_mul(4),
        // A text is shorter in UTF-8; the object that holds it is not.
        _ if element.starts_with("<U") => bytes.saturating_add(count.saturating_mul(32)),
        _ => count.saturating_mul(8),
    }
}

/// The text after `'key':` up to the end of its value.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, after) = header.split_once(&format!("'{key}':"))?;
    let after = after.trim_start();
    let end = if after.starts_with('(') { after.find(')')? + 1 } else { after.find([',', '}'])? };
    Some(&after[..end])
}

fn parse_shape(text: &str) -> Option<Vec<usize>> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    inner.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect()
}

/// Bytes per element of the types that are read, all little-endian.
fn element_size(element: &str) -> Option<usize> {
    match element {
        "|u1" | "|i1" | "|b1" => Some(1),
        "<u2" | "<i2" => Some(2),
        "<u4" | "<i4" | "<f4" => Some(4),
        "<u8" | "<i8" | "<f8" => Some(8),
        _ => {
            let length: usize = element.strip_prefix("<U")?.parse().ok()?;
            length.checked_mul(4).filter(|&size| (4..=4096).contains(&size))
        }
    }
}

fn parse_values(element: &str, size: usize, data: Vec<u8>) -> Values {
    let integers = |turn: fn(&[u8]) -> i64| Values::Integers(data.chunks_exact(size).map(turn).collect());
    // Missing bytes cannot occur: chunks are of the element's size.
    fn bytes<const SIZE: usize>(chunk: &[u8]) -> [u8; SIZE] {
        chunk.try_into().unwrap_or([0; SIZE])
    }
    match element {
        "|u1" => Values::Bytes(data),
        "|b1" | "|i1" => integers(|chunk| i8::from_le_bytes(bytes(chunk)).into()),
        "<u2" => integers(|chunk| u16::from_le_bytes(bytes(chunk)).into()),
        "<i2" => integers(|chunk| i16::from_le_bytes(bytes(chunk)).into()),
        "<u4" => integers(|chunk| u32::from_le_bytes(bytes(chunk)).into()),
        "<i4" => integers(|chunk| i32::from_le_bytes(bytes(chunk)).into()),
        "<u8" | "<i8" => integers(|chunk| i64::from_le_bytes(bytes(chunk))),
        "<f4" => Values::Floats(data.chunks_exact(4).map(|chunk| f32::from_le_bytes(bytes(chunk))).collect()),
        "<f8" => Values::Floats(data.chunks_exact(8).map(|chunk| f64::from_le_bytes(bytes(chunk)) as f32).collect()),
        _ => {
            let text = |chunk: &[u8]| {
                let codes = chunk.chunks_exact(4).map(|code| u32::from_le_bytes(bytes(code)));
                let letters = codes.filter(|&code| code != 0).map(|code| char::from_u32(code).unwrap_or('\u{fffd}'));
                letters.collect::<String>()
            };
            Values::Texts(data.chunks_exact(size).map(text).collect())
        }
    }
}
