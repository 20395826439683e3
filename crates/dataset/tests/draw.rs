//! Drawn characters: what they look like, that a seed decides them, and bad specifications.

use std::path::PathBuf;

use dataset::Dataset;
use dataset::draw::{DrawError, DrawSpec, FontSpec, Generator};
use host::Silent;
use proptest::prelude::*;

const GELASIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fonts/Gelasio-Regular.ttf");

fn generator() -> Generator {
    Generator::new(&DrawSpec::default()).unwrap()
}

fn draw(count: usize, seed: u64) -> Dataset {
    generator().draw(count, seed, &Silent)
}

/// Mass, row and column of the centre of ink.
fn ink(image: &[u8], width: usize) -> (f64, f64, f64) {
    let mut sums = (0.0, 0.0, 0.0);
    for (place, &value) in image.iter().enumerate() {
        let value = f64::from(value) / 255.0;
        let (row, column) = ((place / width) as f64, (place % width) as f64);
        sums = (sums.0 + value, sums.1 + value * row, sums.2 + value * column);
    }
    (sums.0, sums.1 / sums.0, sums.2 / sums.0)
}

#[test]
fn one_seed_gives_one_data_set_on_any_number_of_threads() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| draw(300, 9))
    };
    let one = on(1);
    assert_eq!(one, on(3));
    assert_ne!(one.images(), draw(300, 10).images());
    // A longer data set begins with the shorter one.
    let first: Vec<usize> = (0..100).collect();
    assert_eq!(one.subset(&first).images(), draw(100, 9).images());
}

/// A change of any pixel would silently give every published seed another data set.
#[test]
fn the_images_of_a_seed_are_fixed_for_ever() {
    let data = draw(64, 2024);
    let hash = data
        .images()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &pixel| (hash ^ u64::from(pixel)).wrapping_mul(0x0100_0000_01b3));
    assert_eq!(hash, 0x18cc_6054_9be7_f4af, "{hash:#x}");
    assert_eq!(data.labels("character").unwrap().values[..8], [0, 6, 1, 5, 0, 0, 8, 8]);
    assert_eq!(data.labels("font").unwrap().values[..8], [1, 0, 0, 0, 0, 0, 1, 0]);
}

#[test]
fn labels_are_uniform_and_independent() {
    let data = draw(8000, 3);
    let (characters, fonts) = (data.labels("character").unwrap(), data.labels("font").unwrap());
    assert_eq!(characters.classes, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    assert_eq!(fonts.classes, ["cursive", "serif"]);
    for character in 0..10 {
        for font in 0..2 {
            let pairs = characters.values.iter().zip(&fonts.values);
            let count = pairs.filter(|pair| *pair == (&character, &font)).count();
            assert!((320..480).contains(&count), "{character} {font} {count}");
        }
    }
}

#[test]
fn ink_is_bright_and_centred() {
    let data = draw(2000, 4);
    let mut sums = (0.0, 0.0);
    for item in 0..data.len() {
        let (mass, row, column) = ink(data.image(item), 28);
        assert!(mass > 8.0 && mass < 140.0, "{item}: {mass}");
        assert!((row - 14.0).abs() < 6.0 && (column - 14.0).abs() < 6.0, "{item}: {row} {column}");
        sums = (sums.0 + row, sums.1 + column);
    }
    let (row, column) = (sums.0 / 2000.0, sums.1 / 2000.0);
    assert!((row - 14.0).abs() < 0.1 && (column - 14.0).abs() < 0.1, "{row} {column}");
}

#[test]
fn without_warp_the_centre_stays_within_half_a_pixel() {
    let generator = Generator::new(&DrawSpec { elastic_alpha: 0.0, ..Default::default() }).unwrap();
    let data = generator.draw(500, 4, &Silent);
    for item in 0..data.len() {
        let (_, row, column) = ink(data.image(item), 28);
        assert!((row - 14.0).abs() < 0.55 && (column - 14.0).abs() < 0.55, "{item}: {row} {column}");
    }
}

#[test]
fn pairs_share_character_and_deformation() {
    let generator = generator();
    let data = generator.draw_pairs(50, 6, &Silent);
    assert_eq!(data.len(), 100);
    let (characters, fonts) = (data.labels("character").unwrap(), data.labels("font").unwrap());
    let mut image = vec![0; 784];
    for pair in 0..50 {
        let character = characters.values[2 * pair];
        assert_eq!(characters.values[2 * pair + 1], character);
        for font in 0..2 {
            assert_eq!(fonts.values[2 * pair + font], font as u32);
            generator.render(6, pair as u64, character as usize, font, &mut image);
            assert_eq!(data.image(2 * pair + font), image);
        }
    }
}

#[test]
fn a_file_draws_as_the_embedded_font_and_names_its_class() {
    let fonts = vec![FontSpec::parse("serif"), FontSpec::parse(GELASIO)];
    assert_eq!(fonts[1].name, "Gelasio-Regular");
    let generator = Generator::new(&DrawSpec { fonts, ..Default::default() }).unwrap();
    let data = generator.draw_pairs(10, 1, &Silent);
    for pair in 0..10 {
        assert_eq!(data.image(2 * pair), data.image(2 * pair + 1));
    }
}

#[test]
fn any_size_and_characters_can_be_drawn() {
    let characters = "aé€Ω".chars().take(3).collect();
    let spec = DrawSpec { characters, height: 9, width: 40, em: 60.0, recentre: false, ..Default::default() };
    let data = Generator::new(&spec).unwrap().draw(20, 1, &Silent);
    assert_eq!((data.height(), data.width(), data.len()), (9, 40, 20));
}

#[test]
fn the_file_tells_how_to_draw_it_again() {
    let data = draw(10, 77);
    let spec: DrawSpec = serde_json::from_str(&data.about()["specification"]).unwrap();
    let seed = data.about()["seed"].parse().unwrap();
    assert_eq!(Generator::new(&spec).unwrap().draw(10, seed, &Silent), data);
}

#[test]
fn bad_specifications_are_named() {
    let fails = |spec: DrawSpec| Generator::new(&spec).unwrap_err().to_string();
    let default = DrawSpec::default;
    let font = |path: &str| vec![FontSpec::parse(path)];
    let cases = [
        (fails(DrawSpec { characters: vec![], ..default() }), "`characters` is empty"),
        (fails(DrawSpec { fonts: vec![], ..default() }), "`fonts` is empty"),
        (fails(DrawSpec { characters: vec!['a', 'a'], ..default() }), "\"a\" twice"),
        (fails(DrawSpec { fonts: [font("serif"), font("serif")].concat(), ..default() }), "\"serif\" twice"),
        (fails(DrawSpec { characters: vec!['漢'], ..default() }), "cannot draw '漢': it has no glyph for it"),
        (fails(DrawSpec { characters: vec![' '], ..default() }), "cannot draw ' ': its glyph has no ink"),
        (fails(DrawSpec { height: 3, ..default() }), "`height` is 3"),
        (fails(DrawSpec { em: f32::NAN, ..default() }), "`em` is NaN"),
        (fails(DrawSpec { rotation: -1.0, ..default() }), "`rotation` is -1"),
        (fails(DrawSpec { elastic_sigma: 0.0, ..default() }), "`elastic_sigma` is 0"),
        (fails(DrawSpec { fonts: font("/nonexistent.ttf"), ..default() }), "/nonexistent.ttf"),
        (
            fails(DrawSpec { fonts: font(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")), ..default() }),
            "not a TrueType",
        ),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_damaged_font_never_panics() {
    let bytes = std::fs::read(GELASIO).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("damaged.ttf");
    let spec = DrawSpec { fonts: vec![FontSpec::parse(path.to_str().unwrap())], ..Default::default() };
    let attempt = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        match Generator::new(&spec) {
            Ok(generator) => drop(generator.draw(4, 0, &Silent)),
            Err(error) => assert!(matches!(error, DrawError::NotAFont { .. } | DrawError::Glyph { .. }), "{error}"),
        }
    };
    for length in (0..bytes.len()).step_by(1499) {
        attempt(&bytes[..length]);
    }
    for place in (0..600).step_by(7).chain((600..bytes.len()).step_by(97)) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0xff;
        attempt(&damaged);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_allowed_specification_draws(
        height in 4usize..60, width in 4usize..60, em in 1f32..80.0, em_deviation in 0f32..0.5,
        rotation in 0f32..180.0, recentre: bool, elastic_alpha in 0f32..10_000.0, elastic_sigma in 0.1f32..512.0, seed: u64,
    ) {
        let spec = DrawSpec { height, width, em, em_deviation, rotation, recentre, elastic_alpha, elastic_sigma, ..Default::default() };
        let data = Generator::new(&spec).unwrap().draw(3, seed, &Silent);
        prop_assert_eq!(data.images().len(), 3 * height * width);
    }
}
