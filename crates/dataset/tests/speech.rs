//! WAV files of every kind and damage; and the Free Spoken Digit Dataset where HALFLIGHT_DATA has it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataset::Dataset;
use dataset::import::{ImportError, Imported, LabelSource, SpeechOptions, speech};
use encoder::{Encoder, EncoderOptions};
use host::Silent;
use hound::{SampleFormat, WavSpec, WavWriter};

fn tone(path: &Path, rate: u32, bits: u16, channels: u16, format: SampleFormat) {
    let spec = WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format: format };
    let mut writer = WavWriter::create(path, spec).unwrap();
    for place in 0..rate / 2 {
        let value = 0.4 * (place as f32 * 900.0 * std::f32::consts::TAU / rate as f32).sin();
        for _ in 0..channels {
            match format {
                SampleFormat::Float => writer.write_sample(value).unwrap(),
                SampleFormat::Int => writer.write_sample((value * 2f32.powi(i32::from(bits) - 1)) as i32).unwrap(),
            }
        }
    }
    writer.finalize().unwrap();
}

fn pattern() -> LabelSource {
    LabelSource::Pattern("{word}_{speaker}_{index}.wav".into())
}

fn import(folder: &Path, options: &SpeechOptions, skip_bad: bool) -> Result<Imported, ImportError> {
    speech(folder, &pattern(), options, skip_bad, &Silent)
}

fn folder(files: &[&str]) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = files.iter().map(|name| folder.path().join(name)).collect();
    paths.iter().for_each(|path| tone(path, 8000, 16, 1, SampleFormat::Int));
    (folder, paths)
}

#[test]
fn every_kind_of_wav_gives_nearly_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = [
        (8000, 16, 1, SampleFormat::Int),
        (8000, 8, 1, SampleFormat::Int),
        (16_000, 24, 2, SampleFormat::Int),
        (44_100, 32, 1, SampleFormat::Int),
        (48_000, 32, 2, SampleFormat::Float),
    ];
    for (index, &(rate, bits, channels, format)) in kinds.iter().enumerate() {
        tone(&folder.path().join(format!("beep_nobody_{index}.wav")), rate, bits, channels, format);
    }
    let data = import(folder.path(), &SpeechOptions::default(), false).unwrap().data;
    assert_eq!((data.len(), data.height(), data.width()), (5, 20, 24));
    assert_eq!(data.labels("index").unwrap().classes, ["0", "1", "2", "3", "4"]);
    assert_eq!(data.features().unwrap().value(0, 255), 0.0);
    for item in 0..5 {
        let loudest = data.image(item).chunks(24).map(|band| band.iter().map(|&byte| u32::from(byte)).sum::<u32>());
        let loudest = loudest.enumerate().max_by_key(|band| band.1).unwrap().0;
        assert_eq!(loudest, 8, "{item}");
    }
}

#[test]
fn an_analysis_travels_with_the_data_and_names_its_encoder() {
    let (folder, paths) = folder(&["a_b_0.wav", "a_b_1.wav", "a_c_2.wav"]);
    tone(&paths[2], 16_000, 16, 1, SampleFormat::Int);
    let options = SpeechOptions { trim: 30.0, ..Default::default() };
    let data = import(folder.path(), &options, false).unwrap().data;
    let kept = data.features().unwrap().sound.clone().unwrap();
    assert_eq!((kept.bands, kept.frames, kept.trim, kept.rate), (20, 24, 30.0, 8000));
    let path = folder.path().join("words.safetensors");
    data.save(&path).unwrap();
    assert_eq!(Dataset::load(&path).unwrap(), data);

    let encoder = Encoder::fit(&data, &EncoderOptions::default()).unwrap();
    data.check_encoder(&encoder).unwrap();
    let other = import(folder.path(), &SpeechOptions::default(), false).unwrap().data;
    assert!(other.check_encoder(&encoder).is_err());
    assert_eq!(
        data.check_schema(&other).unwrap_err().to_string(),
        "`trim` is 30 in the first data set and 40 in the second: import both with the same options"
    );
    // Encoders from before analyses were stored accept any data of their size and scale.
    let text = std::fs::read(&path).unwrap();
    let named = String::from_utf8_lossy(&text[..]).contains("sound");
    assert!(named);
    let before = dataset::Features { sound: None, ..data.features().unwrap().clone() };
    let before =
        Dataset::new(20, 24, data.images().to_vec(), vec![], Default::default()).unwrap().with_features(before);
    let before = before.unwrap();
    other.check_encoder(&Encoder::fit(&before, &EncoderOptions::default()).unwrap()).unwrap();
    assert!(before.check_encoder(&encoder).is_err());
    assert!(before.check_schema(&data).is_ok());
}

#[test]
fn changed_copies_are_labelled_and_repeatable() {
    let (folder, _paths) = folder(&["a_b_0.wav", "a_b_1.wav"]);
    let options = SpeechOptions { augment: 2, seed: 5, ..Default::default() };
    let data = import(folder.path(), &options, false).unwrap().data;
    assert_eq!(data.labels("copy").unwrap().values, [0, 1, 2, 0, 1, 2]);
    assert_eq!(data.labels("index").unwrap().values, [0, 0, 0, 1, 1, 1]);
    assert_eq!(import(folder.path(), &options, false).unwrap().data, data);
    let other = import(folder.path(), &SpeechOptions { seed: 6, ..options }, false).unwrap().data;
    assert_eq!(other.image(0), data.image(0));
    assert_ne!(other.image(1), data.image(1));
    assert_ne!(data.image(1), data.image(4));
}

#[test]
fn bad_recordings_are_named_or_skipped() {
    let (folder, paths) = folder(&["a_b_0.wav"]);
    let good = std::fs::read(&paths[0]).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let altered = |place: usize, bytes: &[u8]| {
        let mut wav = good.clone();
        wav[place..place + bytes.len()].copy_from_slice(bytes);
        wav
    };
    write("a_b_1.wav", &good[..1000]);
    write("a_b_2.wav", b"RIFF");
    write("a_b_3.wav", &altered(24, &0u32.to_le_bytes()));
    write("a_b_4.wav", &altered(40, &u32::MAX.to_le_bytes()));
    write("a_b_5.wav", &[&good[..44], &vec![0; good.len() - 44][..]].concat());
    write("a_b_6.wav", &altered(20, &85u16.to_le_bytes()));
    tone(&folder.path().join("a_b_7.wav"), 4000, 16, 1, SampleFormat::Int);
    write("noise.wav", &good);
    let imported = import(folder.path(), &SpeechOptions::default(), true).unwrap();
    let reasons: BTreeMap<&str, &str> =
        imported.skipped.iter().map(|bad| (bad.place.rsplit('/').next().unwrap(), bad.reason.as_str())).collect();
    let expected = [
        ("a_b_1.wav", "not a readable WAV file"),
        ("a_b_2.wav", "not a readable WAV file"),
        ("a_b_3.wav", "not a readable WAV file"),
        ("a_b_4.wav", "not a readable WAV file"),
        ("a_b_5.wav", "it is silent"),
        ("a_b_6.wav", "not a readable WAV file"),
        ("a_b_7.wav", "too low for `high`"),
        ("noise.wav", "does not match the pattern"),
    ];
    assert_eq!(imported.data.len(), 1, "{reasons:?}");
    for (name, reason) in expected {
        assert!(reasons[name].contains(reason), "{name}: {}", reasons[name]);
    }
    assert!(matches!(import(folder.path(), &SpeechOptions::default(), false), Err(ImportError::Item { .. })));
}

#[test]
fn no_flipped_byte_of_a_header_panics() {
    let (folder, paths) = folder(&["a_b_0.wav"]);
    let good = std::fs::read(&paths[0]).unwrap();
    for place in 0..80 {
        for flip in [1, 0x10, 0xff] {
            let mut bytes = good.clone();
            bytes[place] ^= flip;
            std::fs::write(&paths[0], bytes).unwrap();
            drop(import(folder.path(), &SpeechOptions::default(), true));
        }
    }
}

#[test]
fn bad_options_are_named() {
    let (folder, _paths) = folder(&["a_b_0.wav"]);
    for (options, field) in [
        (SpeechOptions { bands: 1, ..Default::default() }, "bands"),
        (SpeechOptions { frames: 0, ..Default::default() }, "frames"),
        (SpeechOptions { high: 100.0, ..Default::default() }, "high"),
        (SpeechOptions { trim: f32::NAN, ..Default::default() }, "trim"),
    ] {
        let error = import(folder.path(), &options, true).unwrap_err();
        assert!(matches!(&error, ImportError::Option { field: found, .. } if *found == field), "{error}");
    }
}

/// The share of test items whose nearest training item has the same label.
fn nearest_neighbour(train: &Dataset, test: &Dataset, label: &str) -> f64 {
    let options = EncoderOptions { bits: 4, ..Default::default() }.with_fitted_range(train).unwrap();
    let encoder = Encoder::fit(train, &options).unwrap();
    let encode = |data: &Dataset| -> Vec<Vec<i32>> {
        let levels = |item| encoder.encode(data.image(item)).unwrap().u.iter().map(|&level| level as i32).collect();
        (0..data.len()).map(levels).collect()
    };
    let (known, asked) = (encode(train), encode(test));
    let (known_labels, asked_labels) = (train.labels(label).unwrap(), test.labels(label).unwrap());
    let distance = |a: &[i32], b: &[i32]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<i32>();
    let right = asked.iter().zip(&asked_labels.values).filter(|(asked, value)| {
        let nearest = (0..known.len()).min_by_key(|&item| distance(&known[item], asked)).unwrap();
        known_labels.classes[known_labels.values[nearest] as usize] == asked_labels.classes[**value as usize]
    });
    right.count() as f64 / asked.len() as f64
}

#[test]
fn spoken_digits_can_be_told_apart() {
    let Some(data) = std::env::var_os("HALFLIGHT_DATA") else {
        eprintln!("skipped: HALFLIGHT_DATA is unset");
        return;
    };
    let folder = Path::new(&data).join("fsdd/recordings");
    let labels = LabelSource::Pattern("{digit}_{speaker}_{index}.wav".into());
    let imported = speech(&folder, &labels, &SpeechOptions::default(), false, &Silent).unwrap();
    let accents = [
        ("jackson", "USA"),
        ("theo", "USA"),
        ("nicolas", "Belgian French"),
        ("yweweler", "German"),
        ("lucas", "German"),
        ("george", "Greek"),
    ];
    let accents = accents.map(|(speaker, accent)| (speaker.to_string(), accent.to_string())).into();
    let data = imported.data.with_derived("speaker", "accent", &accents).unwrap();
    assert_eq!(data.len(), 3000);
    // The split of the data set's own page: recordings 0 to 4 are the test.
    let (train, test) = data.split_by("index", &["0", "1", "2", "3", "4"]).unwrap();
    assert_eq!(test.len(), 300);
    let (digit, accent) = (nearest_neighbour(&train, &test, "digit"), nearest_neighbour(&train, &test, "accent"));
    eprintln!("nearest neighbour by recording: digit {digit:.3}, accent {accent:.3}");
    assert!(digit > 0.9 && accent > 0.8, "{digit} {accent}");
    let (train, test) = data.split_by("speaker", &["theo"]).unwrap();
    eprintln!("nearest neighbour by speaker: digit {:.3}", nearest_neighbour(&train, &test, "digit"));
}
