//! The whole way on real handwriting, 8×8: train, save, load, resume, compile, evaluate, refuse.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use dataset::draw::{DrawSpec, Generator};
use dataset::{Dataset, handwriting};
use encoder::EncoderOptions;
use host::{Progress, Silent};
use model::{CompiledNetwork, EvaluateError, ModelError, Origin, Range};
use training::{
    AdversarialOptions, Adversary, CertifyOptions, Checkpoint, CompileDefence, CompileError, CompileOptions, Defence,
    Fresh, MatchOptions, Network, Precision, Selection, TrainError, TrainOptions, compile, train,
};

/// Steps done of the work that began last.
#[derive(Default)]
struct Steps(AtomicU64);

impl Progress for Steps {
    fn begin(&self, _: u64) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn advance(&self, steps: u64) {
        self.0.fetch_add(steps, Ordering::Relaxed);
    }
}

fn data() -> (Dataset, Dataset) {
    let digits = handwriting::digits();
    let (train, test): (Vec<usize>, Vec<usize>) = (0..digits.len()).partition(|item| item % 4 != 0);
    (digits.subset(&train), digits.subset(&test))
}

fn options(defence: Defence) -> TrainOptions {
    TrainOptions {
        main: "digit".into(),
        collateral: vec!["loop".into()],
        units: 16,
        outputs: 6,
        head: vec![32],
        encoder: EncoderOptions { low: -1.5, high: 3.0, ..EncoderOptions::default() },
        defence,
        steps: 150,
        batch: 200,
        rate: 1e-2,
        warm_up: 20,
        ..TrainOptions::default()
    }
}

fn trained(options: &TrainOptions) -> Result<Network, TrainError> {
    let (data, test) = data();
    train(&data, &test, options, &Silent)
}

fn quick_compile() -> CompileOptions {
    CompileOptions { steps: 60, batch: 200, ..CompileOptions::default() }
}

#[test]
fn a_network_becomes_integers_with_little_loss() {
    let folder = tempfile::tempdir().unwrap();
    let (data, test) = data();
    let network = trained(&options(Defence::none())).unwrap();
    assert!(network.accuracy(&test).unwrap() > 93.0, "{}", network.record().accuracy);

    let path = folder.path().join("network.safetensors");
    network.save(&path).unwrap();
    assert!(Network::load(&path).unwrap() == network);

    let (compiled, report) = compile(&network, &data, &quick_compile(), &Silent).unwrap();
    assert!(training::accuracy(&compiled, &test).unwrap() > 92.0, "{report:?}");
    assert!(compiled.inputs().0 <= network.encoder().inputs().0);
    assert!(matches!(compiled.origin(), Origin::Compiled { .. }));

    let path = folder.path().join("compiled.safetensors");
    compiled.save(&path).unwrap();
    let loaded = CompiledNetwork::load(&path).unwrap();
    assert!(loaded == compiled);
    assert_eq!(loaded.hash(), compiled.hash());

    let all = compiled.evaluate_all(&test).unwrap();
    for (item, row) in all.chunks(compiled.outputs()).enumerate() {
        let encoded = compiled.encoder().encode(test.image(item)).unwrap();
        assert_eq!(compiled.evaluate(&encoded).unwrap(), row);
        for (value, (low, high)) in row.iter().zip(compiled.bounds()) {
            assert!((low..=high).contains(&value));
        }
    }
    let mut encoded = compiled.encoder().encode(test.image(0)).unwrap();
    encoded.u[3] = 16;
    let error = compiled.evaluate(&encoded).unwrap_err().to_string();
    assert!(error.contains("`u[3]` is 16") && error.contains("0..=15"), "{error}");
    encoded.u.pop();
    assert!(compiled.evaluate(&encoded).unwrap_err().to_string().contains("`u` has"));
}

#[test]
fn matching_lowers_what_an_attacker_reads() {
    let generator = Generator::new(&DrawSpec::default()).unwrap();
    let (data, test) = (generator.draw(4000, 1, &Silent), generator.draw(3000, 2, &Silent));
    let encoder = EncoderOptions { pooling: 2, ..EncoderOptions::default() };
    let options =
        TrainOptions { units: 24, head: vec![32], encoder, steps: 300, batch: 600, ..TrainOptions::default() };
    let trained = |defence: Defence| {
        let options = TrainOptions { defence, ..options.clone() };
        train(&data, &test, &options, &Silent).unwrap()
    };
    let leak = |network: &Network| (network.record().accuracy, network.record().neighbours.unwrap());
    let network = trained(Defence::none());
    let matched = trained(Defence::matching(MatchOptions { weight: 10.0, ..MatchOptions::default() }));
    let (plain, guarded) = (leak(&network), leak(&matched));
    assert!(guarded.1 < 60.0 && plain.1 - guarded.1 > 5.0, "{plain:?} {guarded:?}");
    assert!(plain.0 > 93.0 && guarded.0 > 90.0, "{plain:?} {guarded:?}");

    // The discriminant ratio alone: λ is next to nothing.
    let defence = CompileDefence::Chosen(Defence::matching(MatchOptions {
        weight: 1e-6,
        pairing: 0.0,
        ..MatchOptions::default()
    }));
    let compiled = |discriminant: f32| {
        let defence = defence.clone();
        let options = CompileOptions { discriminant, defence, steps: 150, batch: 2000, ..CompileOptions::default() };
        let (compiled, _) = compile(&network, &data, &options, &Silent).unwrap();
        (training::accuracy(&compiled, &test).unwrap(), read_by_neighbours(&compiled, &test))
    };
    let (without, with) = (compiled(0.0), compiled(1.0));
    assert!(with.0 > 90.0 && without.1 - with.1 > 5.0, "{without:?} {with:?}");
}

/// Percent of the fonts that most of the 15 nearest outputs of the same character tell.
fn read_by_neighbours(network: &CompiledNetwork, data: &Dataset) -> f64 {
    let outputs = network.evaluate_all(data).unwrap();
    let rows: Vec<&[i64]> = outputs.chunks(network.outputs()).collect();
    let [characters, fonts] = ["character", "font"].map(|label| &data.labels(label).unwrap().values);
    let right = (0..rows.len()).filter(|&item| {
        let others = (0..rows.len()).filter(|&other| other != item && characters[other] == characters[item]);
        let distance = |other: usize| rows[item].iter().zip(rows[other]).map(|(a, b)| (a - b).pow(2)).sum::<i64>();
        let mut nearest: Vec<(i64, u32)> = others.map(|other| (distance(other), fonts[other])).collect();
        nearest.sort_unstable();
        nearest[..15].iter().filter(|(_, font)| *font == fonts[item]).count() > 7
    });
    100.0 * right.count() as f64 / rows.len() as f64
}

#[test]
fn a_stopped_run_goes_on_to_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let (data, test) = data();
    let selection = Some(Selection { every: 30, from: 0.2, tolerance: 0.5, patience: 0 });
    let defence = Defence::matching(MatchOptions { ramp: (0.0, 0.1), ..MatchOptions::default() });
    let options = TrainOptions { steps: 90, selection, ..options(defence) };
    let whole = trained(&options).unwrap();
    assert!(stopped_and_resumed(&data, &test, &options, folder.path()) == whole);

    let checkpoint = Some(Checkpoint { path: folder.path().join("state"), every: 5 });
    let other = TrainOptions { seed: 7, checkpoint, ..options };
    let error = train(&data, &test, &other, &Silent).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("other options or data"), "{error}");
}

#[test]
fn a_run_ends_when_candidates_are_no_longer_kept() {
    // Without a tolerance, and with weights that no longer move, no candidate after the first is better.
    let selection = Some(Selection { every: 10, from: 0.0, tolerance: 0.0, patience: 3 });
    let options = TrainOptions { steps: 400, rate: 1e-9, selection, ..options(Defence::none()) };
    let (data, test) = data();
    let progress = Steps::default();
    let network = train(&data, &test, &options, &progress).unwrap();
    assert_eq!((network.record().steps, progress.0.load(Ordering::Relaxed)), (10, 40));
}

/// Imports are in the order of their paths: fine-tuning once never saw the last class, and only that one was measured.
#[test]
fn compiling_does_not_mind_the_order_of_the_data() {
    let (data, test) = data();
    let network = trained(&options(Defence::none())).unwrap();
    let digits = &data.labels("digit").unwrap().values;
    let mut sorted: Vec<usize> = (0..data.len()).collect();
    sorted.sort_by_key(|&item| digits[item]);
    let (compiled, report) = compile(&network, &data.subset(&sorted), &quick_compile(), &Silent).unwrap();
    assert!(training::accuracy(&compiled, &test).unwrap() > 92.0, "{report:?}");
}

/// Statistics of the data once stood where the head had learned those of batches with equal cells.
#[test]
fn matching_in_unbalanced_data_keeps_the_main_task() {
    let (data, test) = data();
    let digits = data.labels("digit").unwrap().values.clone();
    // One item in eight of the digits from 5 on.
    let items: Vec<usize> = (0..data.len()).filter(|&item| digits[item] < 5 || item % 8 == 0).collect();
    let defence = Defence::matching(MatchOptions { weight: 1.0, ..MatchOptions::default() });
    let options = TrainOptions { steps: 300, ..options(defence) };
    let network = train(&data.subset(&items), &test, &options, &Silent).unwrap();
    assert!(network.record().accuracy > 85.0, "{}", network.record().accuracy);
}

#[test]
fn networks_of_adversarial_defences_are_only_rounded() {
    let chosen = AdversarialOptions {
        adversaries: vec![Adversary::FeedForward(vec![8])],
        epochs: (1, 1, 0),
        rate: 0.02,
        ..AdversarialOptions::default()
    };
    let network = trained(&TrainOptions { batch: 64, ..options(Defence::paper(chosen)) }).unwrap();
    let (data, _) = data();
    let weights = |options: CompileOptions| {
        let (compiled, _) = compile(&network, &data, &options, &Silent).unwrap();
        (compiled.left().to_vec(), compiled.combine().to_vec())
    };
    let rounded = weights(CompileOptions { steps: 0, ..quick_compile() });
    assert!(weights(quick_compile()) == rounded);
    assert!(weights(CompileOptions { defence: CompileDefence::Chosen(Defence::none()), ..quick_compile() }) != rounded);
}

/// The network of a run that dies after one of its first checkpoints and is started again.
fn stopped_and_resumed(data: &Dataset, test: &Dataset, options: &TrainOptions, folder: &Path) -> Network {
    let path = folder.join("state");
    let checkpoint = Some(Checkpoint { path: path.clone(), every: 5 });
    let kept = TrainOptions { checkpoint, ..options.clone() };
    let early = folder.join("early state");
    let watch = std::thread::spawn({
        let (path, early) = (path.clone(), early.clone());
        move || {
            while !path.exists() {
                std::thread::yield_now();
            }
            std::fs::copy(&path, &early).unwrap();
        }
    });
    train(data, test, &kept, &Silent).unwrap();
    watch.join().unwrap();
    std::fs::rename(&early, &path).unwrap();
    let progress = Steps::default();
    let resumed = train(data, test, &kept, &progress).unwrap();
    assert_eq!(progress.0.load(Ordering::Relaxed), options.steps as u64);
    resumed
}

#[test]
fn fresh_drawings_replace_old_ones_and_survive_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let progress = Steps::default();
    let generator = Generator::new(&DrawSpec::default()).unwrap();
    let (data, test) = (generator.draw_pairs(150, 1, &progress), generator.draw(300, 2, &progress));
    let encoder = EncoderOptions { pooling: 4, ..EncoderOptions::default() };
    let options = TrainOptions {
        units: 8,
        head: vec![16],
        encoder,
        steps: 24,
        batch: 80,
        defence: Defence::matching(MatchOptions { paired: Some(true), ..MatchOptions::default() }),
        fresh: Some(Fresh { per_step: 30, ..Fresh::default() }),
        ..TrainOptions::default()
    };
    let whole = train(&data, &test, &options, &progress).unwrap();
    let stale = train(&data, &test, &TrainOptions { fresh: None, ..options.clone() }, &progress).unwrap();
    assert!(whole.outputs(&test).unwrap() != stale.outputs(&test).unwrap());

    let resumed = stopped_and_resumed(&data, &test, &options, folder.path());
    assert!(resumed == whole);

    let specification = DrawSpec { characters: vec!['a'], ..DrawSpec::default() };
    let other = Some(Fresh { specification, ..Fresh::default() });
    let error = train(&data, &test, &TrainOptions { fresh: other, ..options }, &progress);
    let error = error.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("`fresh.specification`"), "{error}");
}

/// Running leaks are part of a checkpoint.
#[test]
fn a_tilted_run_survives_a_stop_and_differs_from_an_even_one() {
    let folder = tempfile::tempdir().unwrap();
    let generator = Generator::new(&DrawSpec::default()).unwrap();
    let (data, test) = (generator.draw_pairs(150, 1, &Silent), generator.draw(100, 2, &Silent));
    let tilted = |tilt| TrainOptions {
        units: 8,
        head: vec![16],
        encoder: EncoderOptions { pooling: 4, ..EncoderOptions::default() },
        steps: 16,
        batch: 80,
        noise: 0.2,
        defence: Defence::certify(CertifyOptions { tilt, ramp: (0.0, 0.1), ..CertifyOptions::default() }),
        ..TrainOptions::default()
    };
    let outputs = |network: &Network| network.outputs(&test).unwrap();
    let whole = train(&data, &test, &tilted(1.0), &Silent).unwrap();
    assert!(stopped_and_resumed(&data, &test, &tilted(1.0), folder.path()) == whole);
    assert!(outputs(&train(&data, &test, &tilted(0.0), &Silent).unwrap()) != outputs(&whole));

    let weights = |defence| {
        let options = CompileOptions { steps: 16, batch: 80, log_bits: 63, defence, ..CompileOptions::default() };
        compile(&whole, &data, &options, &Silent).unwrap().0.left().to_vec()
    };
    let chosen = |tilt| CompileDefence::with_weight(&tilted(tilt).defence, 60.0);
    assert!(weights(chosen(1.0)) == weights(CompileDefence::AsTrained));
    assert!(weights(chosen(1.0)) != weights(chosen(0.0)));

    let mut round = tilted(1.0);
    round.defence = Defence::certify(CertifyOptions { tilt: 1.0, radius: 0.5, ramp: (0.0, 0.1), ..Default::default() });
    assert!(outputs(&train(&data, &test, &round, &Silent).unwrap()) != outputs(&whole));

    let error = train(&data, &test, &tilted(-1.0), &Silent).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("`defence.tilt`"), "{error}");
}

#[test]
fn the_three_phases_run_for_every_adversarial_defence() {
    let adversaries = vec![Adversary::FeedForward(vec![16]), Adversary::Convolutional];
    let chosen = AdversarialOptions { adversaries, epochs: (1, 2, 1), rate: 0.02, restart: 1, ..Default::default() };
    let (data, test) = data();
    let few: Vec<usize> = (0..256).collect();
    for defence in [Defence::paper(chosen.clone()), Defence::max_ent(chosen.clone()), Defence::ensemble(chosen)] {
        let options = TrainOptions { batch: 64, units: 8, ..options(defence) };
        let network = train(&data.subset(&few), &test, &options, &Silent).unwrap();
        assert_eq!(network.record().steps, 16);
        assert!(network.record().accuracy > 15.0, "{}", network.record().accuracy);
    }
}

#[test]
fn ranges_that_do_not_fit_are_refused_and_empirical_ones_are_held() {
    let (data, _) = data();
    let network = trained(&TrainOptions { steps: 40, ..options(Defence::none()) }).unwrap();
    let narrow = CompileOptions { steps: 0, log_bits: 8, ..quick_compile() };
    let error = compile(&network, &data, &narrow, &Silent).unwrap_err();
    assert!(matches!(error, CompileError::Model(ModelError::Range { output: 0, limit: 8, .. })), "{error}");
    assert!(error.to_string().contains("log_bits"), "{error}");

    let range = Range::Empirical { margin_bits: 0.0 };
    let precision = Precision { input: Some(3), ..Precision::small() };
    let tight =
        CompileOptions { range, precision, defence: CompileDefence::Chosen(Defence::none()), ..quick_compile() };
    let (compiled, report) = compile(&network, &data, &tight, &Silent).unwrap();
    assert_eq!(report.input_bits, 3);
    assert_eq!(compiled.encoder().grid().2, 7);
    for (range, output) in compiled.bounds().iter().zip(&report.outputs) {
        assert_eq!(*range, output.empirical);
        assert!(output.exact.0 <= range.0.into() && output.exact.1 >= range.1.into());
    }
    // No digit has ink everywhere, or in one row only.
    let mut encoded = compiled.encoder().encode(data.image(0)).unwrap();
    let refused = (0..encoded.u.len()).filter(|&lit| {
        for (i, (u, v)) in encoded.u.iter_mut().zip(&mut encoded.v).enumerate().skip(1) {
            (*u, *v) = if i.abs_diff(lit) < 12 { (7, 7) } else { (0, 0) };
        }
        matches!(compiled.evaluate(&encoded), Err(EvaluateError::OutOfRange { .. }))
    });
    assert!(refused.count() > 0);
}

#[test]
fn settling_moves_biases_and_no_weight() {
    let (data, _) = data();
    let network = trained(&TrainOptions { steps: 40, ..options(Defence::none()) }).unwrap();
    let parts = |options: CompileOptions| {
        let (compiled, _) = compile(&network, &data, &options, &Silent).unwrap();
        let rows = compiled.left().chunks(compiled.inputs().0);
        let (biases, weights): (Vec<i32>, Vec<Vec<i32>>) = rows.map(|row| (row[0], row[1..].to_vec())).unzip();
        (biases, weights, compiled.combine().to_vec())
    };
    let rounded = parts(CompileOptions { steps: 0, ..quick_compile() });
    let settled = parts(CompileOptions { settle: 1.0, rate: 1e-2, ..quick_compile() });
    let moved = parts(CompileOptions { settle: 0.5, rate: 1e-2, ..quick_compile() });
    assert_eq!((&rounded.1, &rounded.2), (&settled.1, &settled.2));
    assert_ne!(rounded.0, settled.0);
    assert_ne!(rounded.1, moved.1);
    let refused = |options| compile(&network, &data, &options, &Silent).unwrap_err().to_string();
    let error = refused(CompileOptions { settle: 1.5, ..quick_compile() });
    assert!(error.contains("`settle` is 1.5"), "{error}");
    let error = refused(CompileOptions { discriminant: 1.0, ..quick_compile() });
    assert!(error.contains("`discriminant` is 1") && error.contains("needs matching"), "{error}");
}

#[test]
fn fine_tuning_learns_with_noise_of_its_own() {
    let (data, _) = data();
    let network = trained(&TrainOptions { steps: 40, ..options(Defence::none()) }).unwrap();
    let with = |noise, learned_noise| CompileOptions { noise: Some(noise), learned_noise, ..quick_compile() };
    let weights = |options| compile(&network, &data, &options, &Silent).unwrap().0.left().to_vec();
    let (owners, learned) = (weights(with(0.1, None)), weights(with(0.1, Some(0.6))));
    assert_ne!(owners, learned);
    // Weights depend on what was learned with, not on what owners add.
    assert_eq!(weights(with(0.6, None)), learned);
    let error = compile(&network, &data, &with(0.1, Some(f32::NAN)), &Silent).unwrap_err().to_string();
    assert!(error.contains("`learned_noise` is NaN"), "{error}");
    // A defence that needs noise is refused without the owners', whatever it learns with.
    let defence = CompileDefence::Chosen(Defence::certify(CertifyOptions::default()));
    for (noise, learned_noise, field) in [(0.0, Some(0.6), "`noise` is 0"), (0.1, Some(0.0), "`learned_noise` is 0")] {
        let options = CompileOptions { defence: defence.clone(), ..with(noise, learned_noise) };
        let error = compile(&network, &data, &options, &Silent).unwrap_err().to_string();
        assert!(error.contains(field) && error.contains("needs noise"), "{error}");
    }
}

#[test]
fn fewer_columns_are_encrypted_when_asked() {
    let (data, test) = data();
    let network = trained(&options(Defence::none())).unwrap();
    let options = CompileOptions { columns: Some(30), ..quick_compile() };
    let (compiled, report) = compile(&network, &data, &options, &Silent).unwrap();
    assert!(compiled.inputs().0 <= 31 && report.inputs == compiled.inputs(), "{report:?}");
    assert!(training::accuracy(&compiled, &test).unwrap() > 85.0, "{report:?}");
}

#[test]
fn bad_options_are_named() {
    let cases = [
        (TrainOptions { units: 0, ..options(Defence::none()) }, "`units` is 0"),
        (TrainOptions { rate: f64::NAN, ..options(Defence::none()) }, "`rate` is NaN"),
        (TrainOptions { main: "letter".into(), ..options(Defence::none()) }, "no label `letter`"),
        (
            TrainOptions { collateral: vec![], ..options(Defence::matching(MatchOptions::default())) },
            "`collateral` is []",
        ),
        (
            options(Defence::matching(MatchOptions { paired: Some(true), ..MatchOptions::default() })),
            "`paired` is true",
        ),
        (TrainOptions { rate: 1e30, ..options(Defence::none()) }, "finite number at step"),
    ];
    for (options, expected) in cases {
        let error = trained(&options).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
