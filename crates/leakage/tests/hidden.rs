//! Attributes hidden in the digits of integer outputs, as somebody would hide them who writes the network.

mod common;

use host::Silent;
use leakage::{AttackerConfig, AuditOptions, AuditReport, Observations, Outputs, Scope, audit};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// `tell(main, attribute, rng)`: the outputs.
type Tell = fn(i64, i64, &mut ChaCha8Rng) -> Vec<i64>;

fn observe(items: usize, values: i64, seed: u64, tell: Tell) -> Observations {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut data = Observations {
        main_classes: (0..5).map(|m| m.to_string()).collect(),
        collateral_classes: (0..values).map(|v| v.to_string()).collect(),
        ..Observations::default()
    };
    let mut outputs: Vec<i64> = Vec::new();
    for item in 0..items as i64 {
        let (main, value) = (item % 5, item / 5 % values);
        let row = tell(main, value, &mut rng);
        data.width = row.len();
        outputs.extend(row);
        data.main.push(main as u32);
        data.collateral.push(value as u32);
    }
    data.outputs = outputs.into();
    data
}

/// What a network says of the main label: 2^13 apart from class to class, and as wide as that.
fn score(main: i64, rng: &mut ChaCha8Rng) -> i64 {
    8_192 * main + (8_192.0 * common::normal(rng)) as i64
}

fn run(values: i64, tell: Tell, families: Vec<AttackerConfig>) -> AuditReport {
    let options = AuditOptions { families, shuffled_control: false, vote: vec![], ..AuditOptions::default() };
    let (train, test) = (observe(6_000, values, 1, tell), observe(2_000, values, 2, tell));
    audit(&train, &test, &options, &Silent).expect("sound")
}

fn readers() -> Vec<AttackerConfig> {
    vec![AttackerConfig::digits(), AttackerConfig::lattice(), AttackerConfig::period(), AttackerConfig::parity()]
}

/// What every kind reads.
fn by_kind(report: &AuditReport) -> String {
    let pooled = report.attackers.iter().filter(|row| row.scope == Scope::Pooled);
    pooled.map(|row| format!("{} {:.1}", row.family, row.accuracy)).collect::<Vec<_>>().join(", ")
}

/// Every way to hide it, what some kind must read of it, and how many values the attribute has.
const HIDDEN: [(&str, i64, f64, Tell); 17] = [
    ("2^16·main + attribute", 2, 99.0, |m, a, rng| vec![(score(m, rng) << 16) + a]),
    ("the same with four values", 4, 99.0, |m, a, rng| vec![(score(m, rng) << 16) + a]),
    ("beside an honest output", 2, 99.0, |m, a, rng| vec![score(m, rng), (score(m, rng) << 16) + a]),
    ("bit 8 of 16, anything below", 2, 99.0, |m, a, rng| {
        vec![(score(m, rng) << 16) + (a << 8) + rng.random_range(0..256)]
    }),
    ("bit 8, anything above and below, with carries", 2, 90.0, |m, a, rng| {
        vec![(score(m, rng) << 9) + (a << 8) + (20.0 * common::normal(rng)) as i64]
    }),
    ("modulo 3", 3, 99.0, |m, a, rng| vec![3 * score(m, rng) + a]),
    ("modulo 10007", 2, 99.0, |m, a, rng| vec![10_007 * score(m, rng) + a]),
    ("modulo 10007, with noise below", 2, 95.0, |m, a, rng| {
        vec![10_007 * score(m, rng) + 4_000 * a + rng.random_range(0..4_000)]
    }),
    ("half a period or the other, with every remainder alike", 2, 95.0, |m, a, rng| {
        vec![10_006 * score(m, rng) + 5_003 * a + rng.random_range(0..5_003)]
    }),
    ("the same, the other way round in every other class", 2, 90.0, |m, a, rng| {
        vec![10_006 * score(m, rng) + 5_003 * (a ^ (m & 1)) + rng.random_range(0..5_003)]
    }),
    ("decimal digit", 10, 99.0, |m, a, rng| vec![1_000 * score(m, rng) + 100 * a + rng.random_range(0..100)]),
    ("the sum of two remainders", 2, 99.0, |m, a, rng| {
        let r = rng.random_range(0..16);
        vec![(score(m, rng) << 4) + r, (score(m, rng) << 4) + (a - r).rem_euclid(16)]
    }),
    ("exclusive or of two bits", 2, 99.0, |m, a, rng| {
        let r = rng.random_range(0..2);
        vec![
            (score(m, rng) << 8) + (r << 5) + rng.random_range(0..32),
            (score(m, rng) << 8) + ((a ^ r) << 3) + rng.random_range(0..8),
        ]
    }),
    ("parity of seven bits of three outputs", 2, 99.0, |m, a, rng| {
        let mut row: Vec<i64> = (0..3).map(|_| (score(m, rng) << 12) + rng.random_range(0..4_096)).collect();
        let bits = [(0, 0), (0, 5), (0, 11), (1, 2), (1, 9), (2, 4)];
        let sum = bits.iter().fold(a, |sum, &(output, bit)| sum ^ (row[output] >> bit & 1));
        row[2] = (row[2] & !(1 << 7)) | (sum << 7);
        row
    }),
    ("any factors modulo 65521", 2, 99.0, |m, a, rng| {
        let pads = [score(m, rng), score(m, rng)];
        vec![pads[0], pads[1], 65_521 * score(m, rng) + 31_337 * pads[0] + 4_242 * pads[1] + a]
    }),
    ("any factors modulo 2^16, six outputs", 2, 99.0, |m, a, rng| {
        let mut row: Vec<i64> = (0..5).map(|_| score(m, rng)).collect();
        let factors = [31_337, 4_242, 65_535, 1_234, 777];
        row.push((score(m, rng) << 16) + a + row.iter().zip(factors).map(|(x, f)| x * f).sum::<i64>());
        row
    }),
    ("one in twenty wrong", 2, 93.0, |m, a, rng| {
        let wrong = i64::from(rng.random_range(0..20) == 0);
        vec![(score(m, rng) << 16) + (a ^ wrong)]
    }),
];

#[test]
fn what_is_hidden_in_digits_is_read() {
    for (name, values, least, tell) in HIDDEN {
        let report = run(values, tell, readers());
        println!("{name}: {}", by_kind(&report));
        assert!(report.strongest_pooled.accuracy >= least, "{name}: {}", by_kind(&report));
    }
}

/// What the page of the book on exact outputs says that nobody reads: where one of these is read, that page is wrong.
const UNREAD: [(&str, Tell); 3] = [
    ("an exclusive or of seven products of bits", |m, a, rng| {
        let mut row: Vec<i64> = (0..3).map(|_| (score(m, rng) << 16) + rng.random_range(0..1 << 16)).collect();
        let bit = |output: usize, bit: i64| row[output] >> bit & 1;
        let products = (0..7).fold(a, |sum, i| sum ^ (bit(0, i) & bit(1, 13 - 2 * i)));
        row[2] = (row[2] & !(1 << 9)) | (products << 9);
        row
    }),
    ("large factors with noise", |m, a, rng| {
        let pad = score(m, rng);
        vec![pad, 65_521 * score(m, rng) + 31_337 * pad + 32_000 * a + rng.random_range(0..32_000)]
    }),
    ("a sum of three outputs modulo an odd number, with noise", |m, a, rng| {
        let [r, s] = [0; 2].map(|_| rng.random_range(0..10_007));
        let rest = 5_000 * a + rng.random_range(0..5_000) - r + s;
        [r, s, rest].map(|low| 10_007 * score(m, rng) + low).to_vec()
    }),
];

#[test]
fn what_gets_through_is_what_the_book_says() {
    for (name, tell) in UNREAD {
        let report = run(2, tell, readers());
        println!("{name}: {}", by_kind(&report));
        assert!(report.highest_pooled.accuracy < 56.0, "{name} is read: {}", by_kind(&report));
    }
}

#[test]
fn attackers_of_rounded_outputs_see_none_of_it() {
    let (_, values, _, tell) = HIDDEN[0];
    let blind =
        run(values, tell, vec![AttackerConfig::forest(5), AttackerConfig::boosting(), AttackerConfig::neighbours(15)]);
    assert!(blind.highest_pooled.accuracy < 54.0, "{}", by_kind(&blind));
    let warning = blind.precision.expect("integers").warning.expect("27 bits for five classes");
    assert!(warning.contains("output 0 opens"), "{warning}");
}

#[test]
fn nothing_is_read_where_nothing_is() {
    let tell: Tell = |m, _, rng| (0..4).map(|_| (score(m, rng) << 14) + rng.random_range(0..1 << 14)).collect();
    let report = run(2, tell, readers());
    assert!(report.highest_pooled.low <= 50.0 && report.highest_pooled.accuracy < 53.5, "{}", by_kind(&report));
}

#[test]
fn floats_have_no_digits() {
    let (train, test) = (common::shifted(600, 1.0, 1), common::shifted(600, 1.0, 2));
    let options = AuditOptions { shuffled_control: false, ..AuditOptions::default() };
    let report = audit(&train, &test, &options, &Silent).expect("sound");
    assert!(report.attackers.iter().all(|row| row.family != "digits" && row.family != "lattice"));
    assert_eq!(report.precision, None);
    let whole = |data: &Observations| {
        let values = (0..data.outputs.len()).map(|at| (1e6 * data.outputs.value(at)) as i64);
        Observations { outputs: Outputs::Integers(values.collect()), ..data.clone() }
    };
    let report = audit(&whole(&train), &whole(&test), &options, &Silent).expect("sound");
    assert!(report.attackers.iter().any(|row| row.family == "digits"));
    assert!(report.precision.is_some());
}

#[test]
fn seeds_decide_and_threads_do_not() {
    let (_, values, _, tell) = HIDDEN[7];
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| run(values, tell, readers()))
    };
    assert_eq!(with(1), with(3));
}
