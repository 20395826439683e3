//! Small files that unpack to gigabytes: each ends in an error that says so, before the memory is taken.
//!
//! All tests here share one process, whose greatest memory is looked at after each.

use std::io::Write;
use std::path::PathBuf;

use dataset::idx::{self, IdxError, IdxOptions};
use dataset::import::{
    ArrayOptions, FaceOptions, ImportError, LabelSource, PictureOptions, SpeechOptions, TableOptions, TableRules, csv,
    imdb_faces, npz, pictures, speech,
};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use host::Silent;
use zip::write::SimpleFileOptions;

const MEGABYTE: usize = 1 << 20;

/// What the tests allow themselves.
const BUDGET: u64 = 32 << 20;

/// All that the process may ever have held: program, files, and several budgets at once in threads.
const MOST_RESIDENT: usize = 600 * MEGABYTE;

fn put(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

/// The import ends by the budget, and has not taken the memory.
fn refused<T: std::fmt::Debug>(result: Result<T, ImportError>, name: &str) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains(name) && error.contains("bytes that an import may take"), "{error}");
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let most: usize = line.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(most << 10 < MOST_RESIDENT, "{name}: {line}");
}

fn rules() -> TableRules {
    TableRules { budget: BUDGET, ..TableRules::default() }
}

/// An element of a MATLAB file.
fn element(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn matlab(elements: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![b' '; 124];
    bytes.extend(b"\x00\x01IM");
    bytes.extend(elements.concat());
    bytes
}

/// The start of an array: class, sizes, name.
fn array(class: u8, count: u32) -> Vec<u8> {
    let sizes = [1i32.to_le_bytes(), (count as i32).to_le_bytes()].concat();
    [element(6, &[class, 0, 0, 0, 0, 0, 0, 0]), element(5, &sizes), element(1, b"x")].concat()
}

fn compressed(write: impl FnOnce(&mut dyn Write)) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    write(&mut encoder);
    let data = encoder.finish().unwrap();
    // Without padding: compressed elements have none.
    [15u32.to_le_bytes().to_vec(), (data.len() as u32).to_le_bytes().to_vec(), data].concat()
}

fn zeros(out: &mut dyn Write, megabytes: usize) {
    (0..megabytes).for_each(|_| out.write_all(&vec![0; MEGABYTE]).unwrap());
}

fn import_matlab(content: &[u8]) -> Result<dataset::import::Imported, ImportError> {
    let (_folder, path) = put("wiki.mat", content);
    let picture = PictureOptions { budget: BUDGET, ..PictureOptions::default() };
    imdb_faces(&path, &FaceOptions { picture, ..FaceOptions::default() }, false, &Silent)
}

#[test]
fn a_small_matlab_file_of_many_arrays_does_not_fill_the_memory() {
    // 32 arrays of 31 MB each, within any limit of one array.
    let one = compressed(|out| {
        let start = array(9, 0);
        let size = 31 * MEGABYTE;
        out.write_all(&14u32.to_le_bytes()).unwrap();
        out.write_all(&((start.len() + 8 + size) as u32).to_le_bytes()).unwrap();
        out.write_all(&start).unwrap();
        out.write_all(&[2u32.to_le_bytes(), (size as u32).to_le_bytes()].concat()).unwrap();
        zeros(out, 31);
    });
    let file = matlab(&vec![one; 32]);
    assert!(file.len() < 2 * MEGABYTE);
    refused(import_matlab(&file), "wiki.mat");
}

#[test]
fn empty_cells_of_a_matlab_file_count_as_what_they_become() {
    // 3 million empty arrays of eight bytes each.
    let count = 3_000_000;
    let one = compressed(|out| {
        let start = array(1, count);
        out.write_all(&14u32.to_le_bytes()).unwrap();
        out.write_all(&(start.len() as u32 + 8 * count).to_le_bytes()).unwrap();
        out.write_all(&start).unwrap();
        let cell = element(14, &[]);
        (0..count).for_each(|_| out.write_all(&cell).unwrap());
    });
    assert!(one.len() < MEGABYTE);
    refused(import_matlab(&matlab(&[one])), "wiki.mat");
}

/// An archive of arrays of zeros, whose headers and contents agree.
fn archive(arrays: usize, element: &str, shape: &str, megabytes: usize) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for place in 0..arrays {
        writer.start_file(format!("x{place}.npy"), SimpleFileOptions::default()).unwrap();
        let header = format!("{{'descr': '{element}', 'fortran_order': False, 'shape': {shape}, }}\n");
        writer.write_all(b"\x93NUMPY\x01\x00").unwrap();
        writer.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        writer.write_all(header.as_bytes()).unwrap();
        zeros(&mut writer, megabytes);
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_small_numpy_archive_does_not_fill_the_memory() {
    let options = ArrayOptions { rules: rules(), ..ArrayOptions::default() };
    let import = |content: &[u8]| {
        let (_folder, path) = put("arrays.npz", content);
        npz(&path, &options, false, &Silent)
    };
    // Many arrays, bytes that become numbers of eight bytes, and texts of one letter.
    for bomb in [
        archive(64, "<f4", "(1024, 2048)", 8),
        archive(1, "|i1", "(8, 1048576)", 8),
        archive(1, "<U1", "(2097152,)", 8),
    ] {
        assert!(bomb.len() < MEGABYTE, "{}", bomb.len());
        refused(import(&bomb), "arrays.npz");
    }
    // What nothing is said about has a limit too.
    let (_folder, path) = put("arrays.npz", &archive(1, "<f8", "(1024, 524288)", 0));
    refused(npz(&path, &ArrayOptions::default(), false, &Silent), "arrays.npz");
}

#[test]
fn a_picture_with_a_lying_header_does_not_fill_the_memory() {
    let (folder, _) = put("a.pgm", b"P5 9000 9000 255\n0");
    let options = PictureOptions { budget: BUDGET, ..PictureOptions::default() };
    let labels = LabelSource::Pattern("{class}.pgm".into());
    refused(pictures(folder.path(), &labels, &options, false, &Silent), "a.pgm");
}

#[test]
fn a_list_of_pictures_counts_before_they_are_read() {
    let list: String = (0..1000).map(|place| format!("{place}.png,a\n")).collect();
    let (folder, path) = put("list.csv", format!("file,class\n{list}").as_bytes());
    let options = PictureOptions { height: 1024, width: 1024, budget: BUDGET, ..PictureOptions::default() };
    let labels = LabelSource::Csv { path, file: "file".into(), labels: vec![] };
    let folder = folder.path();
    let name = folder.file_name().unwrap().to_str().unwrap();
    refused(pictures(folder, &labels, &options, false, &Silent), name);
}

#[test]
fn a_recording_with_a_lying_header_does_not_fill_the_memory() {
    let mut wav = b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    wav.extend([8000u32.to_le_bytes(), 16_000u32.to_le_bytes()].concat());
    wav.extend(b"\x02\0\x10\0data\xfe\xff\xff\x7f");
    let (folder, _) = put("a.wav", &wav);
    let labels = LabelSource::Pattern("{word}.wav".into());
    let options = SpeechOptions { budget: BUDGET, ..SpeechOptions::default() };
    refused(speech(folder.path(), &labels, &options, false, &Silent), "a.wav");
}

#[test]
fn a_small_gzipped_idx_file_does_not_fill_the_memory() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&[0, 0, 8, 3, 0, 0, 0, 64, 0, 0, 4, 0, 0, 0, 4, 0]).unwrap();
    zeros(&mut packed, 64);
    let (_images, path) = put("images.gz", &packed.finish().unwrap());
    let (_labels, labels) = put("labels", &[&[0, 0, 8, 1, 0, 0, 0, 64][..], &[0; 64]].concat());
    let options = IdxOptions { budget: BUDGET, ..IdxOptions::default() };
    let error = idx::read_with(&path, &labels, &options).unwrap_err();
    assert!(matches!(error, IdxError::Budget { .. }), "{error}");
    let options = IdxOptions { budget: 3 * BUDGET, ..IdxOptions::default() };
    assert_eq!(idx::read_with(&path, &labels, &options).unwrap().len(), 64);
}

fn table_options() -> TableOptions {
    TableOptions { labels: vec!["y".into()], rules: rules(), ..TableOptions::default() }
}

#[test]
fn a_table_that_spreads_to_many_columns_counts_what_it_becomes() {
    // 4 MB of text with 64 categories: 128 MB of features.
    let rows: String = (0..1_000_000).map(|row| format!("{},0\n", row % 64 + 10)).collect();
    let (_folder, path) = put("table.csv", format!("a,y\n{rows}").as_bytes());
    let options = TableOptions { texts: vec!["a".into()], ..table_options() };
    refused(csv(&path, &options, false, &Silent), "table.csv");
}

#[cfg(feature = "parquet")]
mod parquet_files {
    use std::sync::Arc;

    use std::path::Path;

    use dataset::import::parquet;
    use parquet::basic::{Compression, GzipLevel};
    use parquet::column::writer::ColumnWriter;
    use parquet::data_type::ByteArray;
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// Rows of one long text and a label; one page unless a page is full.
    fn file(path: &Path, compression: Compression, length: usize, rows: usize) {
        let schema = parse_message_type("message t { REQUIRED BYTE_ARRAY x (UTF8); REQUIRED INT32 y; }").unwrap();
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None);
        let file = std::fs::File::create(path).unwrap();
        let mut writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties.build())).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let text = ByteArray::from(vec![b'a'; length]);
        while let Some(mut column) = group.next_column().unwrap() {
            match column.untyped() {
                ColumnWriter::ByteArrayColumnWriter(column) => {
                    column.write_batch(&vec![text.clone(); rows], None, None).unwrap();
                }
                ColumnWriter::Int32ColumnWriter(column) => {
                    column.write_batch(&vec![0; rows], None, None).unwrap();
                }
                _ => unreachable!("the schema has no other"),
            }
            column.close().unwrap();
        }
        group.close().unwrap();
        writer.close().unwrap();
    }

    fn import(path: &Path) -> Result<dataset::import::Imported, ImportError> {
        parquet(path, &table_options(), false, &Silent)
    }

    #[test]
    fn a_small_parquet_file_of_large_pages_does_not_fill_the_memory() {
        let folder = tempfile::tempdir().unwrap();
        for (name, compression) in [("gzip", Compression::GZIP(GzipLevel::default())), ("snappy", Compression::SNAPPY)]
        {
            let path = folder.path().join(format!("{name}.parquet"));
            file(&path, compression, 64 * MEGABYTE, 1);
            assert!(std::fs::metadata(&path).unwrap().len() < 4 << 20);
            refused(import(&path), name);
        }
    }

    #[test]
    fn a_parquet_file_of_very_many_equal_rows_does_not_fill_the_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.parquet");
        file(&path, Compression::SNAPPY, 1, 8_000_000);
        assert!(std::fs::metadata(&path).unwrap().len() < 1 << 20);
        refused(import(&path), "rows.parquet");
    }

    #[test]
    fn a_gzip_page_larger_than_its_header_says_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lying.parquet");
        file(&path, Compression::GZIP(GzipLevel::default()), 8 * MEGABYTE, 1);
        let bytes = std::fs::read(&path).unwrap();
        // The uncompressed size of the dictionary page, field 2 of the first header: `15`, a number of four digits.
        let mut bytes = bytes;
        assert_eq!(bytes[4..7], [0x15, 0x04, 0x15]);
        let mut sizes = bytes[7..11].to_vec();
        sizes.iter_mut().take(3).for_each(|digit| *digit = 0x80);
        bytes[7..10].copy_from_slice(&sizes[..3]);
        std::fs::write(&path, bytes).unwrap();
        let error = import(&path).unwrap_err().to_string();
        assert!(error.contains("unpacks to more than its header says"), "{error}");
    }

    /// A footer of 180 kB: each column is in the one before it. The decoder calls itself for each; the process ended.
    #[test]
    fn columns_in_columns_do_not_overflow_the_stack() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep.parquet");
        let put = |depth: usize| {
            // Version; the list of columns: repetition, name and number of children of each, and last one with a type.
            let mut footer = vec![0x15, 2, 0x19, 0xfc];
            let mut count = depth + 2;
            while count > 127 {
                footer.push((count & 127) as u8 | 128);
                count >>= 7;
            }
            footer.push(count as u8);
            footer.extend(b"\x48\x01r\x15\x02\0");
            (0..depth).for_each(|_| footer.extend(b"\x35\0\x18\x01a\x15\x02\0"));
            // No rows and no groups of them.
            footer.extend(b"\x15\x02\x25\0\x18\x01y\0\x16\0\x19\x0c\0");
            let length = (footer.len() as u32).to_le_bytes();
            std::fs::write(&path, [b"PAR1", &footer[..], &length, b"PAR1"].concat()).unwrap();
            import(&path).unwrap_err().to_string()
        };
        let shallow = put(40);
        assert!(shallow.contains("nested or binary"), "{shallow}");
        for depth in [80, 300, 20_000] {
            let error = put(depth);
            assert!(error.contains("its columns are nested too deeply"), "{error}");
        }
    }

    #[test]
    fn an_honest_parquet_file_passes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("small.parquet");
        for compression in [Compression::GZIP(GzipLevel::default()), Compression::SNAPPY, Compression::LZ4_RAW] {
            file(&path, compression, 10, 50_000);
            assert_eq!(import(&path).unwrap().data.len(), 50_000);
        }
    }
}
