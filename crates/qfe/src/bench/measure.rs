//! Running and timing.

use std::sync::Arc;

use host::{Progress, Silent};
use rand::{SeedableRng, rngs::StdRng};

use super::{
    BenchError, BenchReport, OperationReport, PAPER, ShapeReport,
    clock::{Clock, field_mul_ns, processor},
    shapes::Shape,
};
use crate::{
    dlog::LogTable,
    encrypt::{Ciphertext, Encryptor},
    evaluate::Evaluator,
    keys::setup,
    raw::ifma::Ifma,
    shares::{Combiner, Sharing},
    wire::Encoding,
};

/// What to measure.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// Names of shapes, or custom shapes; see [`Shape::parse`].
    pub shapes: Vec<String>,
    /// Runs of each operation, of which the fastest counts.
    pub runs: usize,
    /// Threads of the many-threaded figures; one for single-threaded figures only.
    pub threads: usize,
    /// Baby-step bits of the logarithm table.
    pub log_bits: u32,
    /// Whether to use vector instructions where there are any.
    pub vector: bool,
    /// Ciphertexts that are read, evaluated and searched for as one batch; zero leaves that out.
    pub batch: usize,
    /// Whether to measure a whole ceremony of five servers, on all threads: half a minute for the paper's shape.
    pub ceremony: bool,
}

impl Default for BenchOptions {
    fn default() -> Self {
        Self {
            shapes: vec!["paper".into(), "dense".into()],
            runs: 3,
            threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
            log_bits: 22,
            vector: true,
            batch: 0,
            ceremony: false,
        }
    }
}

/// Measures; every evaluation is checked against the function in the clear.
///
/// # Errors
/// A shape is unknown, threads cannot be started, or a result is wrong.
pub fn run(options: &BenchOptions, progress: &dyn Progress) -> Result<BenchReport, BenchError> {
    let shapes: Vec<Shape> = options.shapes.iter().map(|name| Shape::parse(name)).collect::<Result<_, _>>()?;
    Ifma::enable(options.vector);
    let result = measure_shapes(options, &shapes, progress);
    Ifma::enable(true);
    result
}

fn measure_shapes(
    options: &BenchOptions,
    shapes: &[Shape],
    progress: &dyn Progress,
) -> Result<BenchReport, BenchError> {
    progress.begin(1 + shapes.len() as u64);
    let table = Arc::new(LogTable::build(options.log_bits, &Silent)?);
    progress.advance(1);
    let mut report = BenchReport {
        cpu: processor(),
        threads: options.threads,
        field_mul_ns: field_mul_ns(),
        vector: Ifma::detect().is_some(),
        shapes: Vec::new(),
        published: PAPER.to_vec(),
    };
    for shape in shapes {
        report.shapes.push(measure_shape(options, shape, &table)?);
        report.field_mul_ns = report.field_mul_ns.min(field_mul_ns());
        progress.advance(1);
    }
    Ok(report)
}

fn measure_shape(options: &BenchOptions, shape: &Shape, table: &Arc<LogTable>) -> Result<ShapeReport, BenchError> {
    let map = shape.map(1)?;
    let (u, v) = shape.input(2);
    let expected = map.evaluate(&u, &v)?;
    let (n, m) = shape.inputs;
    let mut operations = Vec::new();
    let mut explain = Vec::new();
    let reach = i64::from(u32::MAX);
    let bounds: Vec<(i64, i64)> = expected
        .iter()
        .map(|&e| {
            let e = i64::try_from(e).unwrap_or(0);
            if e.abs() <= reach { (-reach, reach) } else { (e - reach / 2, e + reach / 2) }
        })
        .collect();
    let rng = || StdRng::seed_from_u64(3);
    for threads in if options.threads > 1 { vec![1, options.threads] } else { vec![1] } {
        let clock = Clock::new(threads, options.runs)?;
        let costs = crate::cost::Costs::current();
        let once = Clock { runs: 1, ..clock };
        let (mut op, keys) = once.time("setup", (costs.setup(n, m), 0), rng, |mut rng| setup(n, m, &mut rng));
        let (master, public) = keys?;
        op.bytes = public.encoded_size(Encoding::Uncompressed);
        operations.push(op);
        let (mut op, key) = once.time("issue", (costs.issue(&map), 0), || (), |()| master.issue(&map));
        let key = key?;
        op.bytes = key.encoded_size(Encoding::Uncompressed);
        operations.push(op);
        let (op, valid) = once.time("verify", (costs.verify(&map), 0), || (), |()| public.verify(&key));
        valid?;
        operations.push(op);
        // One of five servers, three of which make a key.
        let (commitments, shares) = master.share(&public, Sharing::new(5, 2)?, &mut rng())?;
        let (mut op, partial) =
            once.time("issue_partial", (costs.partial(&map), 0), || (), |()| shares[0].issue(&public, &map));
        let mut partials = vec![partial?];
        op.bytes = partials[0].encoded_size(Encoding::Uncompressed);
        operations.push(op);
        for share in &shares[1..3] {
            partials.push(share.issue(&public, &map)?);
        }
        let combine = |()| Combiner::new(&public, &commitments, &map)?.combine(&partials);
        let (op, combined) = once.time("combine", (costs.verify(&map), 0), || (), combine);
        operations.push(op);
        if combined?.key != key {
            return Err(BenchError::Quorum { shape: shape.name.to_string() });
        }
        if options.ceremony && threads == options.threads {
            let (op, made) = once.time("ceremony", (0.0, 0), || (), |()| super::ceremony((n, m)));
            made?;
            operations.push(op);
        }
        let (op, encryptor) =
            once.time("tables", (0.0, Encryptor::table_bytes(n, m)), || (), |()| Encryptor::new(&public, &Silent));
        let op = OperationReport { estimate_field_muls: costs.tables(n, m) / threads as f64, ..op };
        operations.push(op);
        let clock = Clock { runs: options.runs.max(1), ..once };
        let bytes = crate::wire::ciphertext_size(n, m);
        let (op, ciphertext) = clock
            .time("encrypt", (costs.encrypt(&encryptor), bytes), rng, |mut rng| encryptor.encrypt(&u, &v, &mut rng));
        operations.push(op);
        let ciphertext = ciphertext?;
        let (op, online) = clock.time(
            "encrypt_online",
            (costs.online(n, m), bytes),
            || encryptor.draw_mask(&mut rng()),
            |mask| encryptor.encrypt_with_mask(&u, &v, mask),
        );
        online?;
        operations.push(op);
        let encoded = ciphertext.to_bytes();
        let (op, read) = clock.time("read", (costs.read(n, m), bytes), || (), |()| Ciphertext::from_bytes(&encoded));
        operations.push(op);
        let ciphertext = read?;
        let evaluator = Evaluator::new(&key, table.clone(), &bounds)?;
        explain = evaluator.plan().lines();
        let estimate = evaluator.plan().field_muls();
        let (op, targets) = clock.time("evaluate", (estimate, 0), || (), |()| evaluator.targets(&ciphertext));
        operations.push(op);
        let targets = targets?;
        if options.batch > 0 {
            operations.push(measure_batch(options.batch, &clock, &encryptor, &evaluator, (&u, &v), &expected)?);
        }
        let estimate = expected.iter().zip(&bounds).map(|(&e, &b)| costs.logarithm(table, e, b)).sum();
        let (op, values) = clock.time("dlog", (estimate, 0), || (), |()| evaluator.logarithms(&targets));
        operations.push(op);
        for (output, (found, &expected)) in values?.into_iter().zip(&expected).enumerate() {
            if i128::from(found) != expected {
                return Err(BenchError::Mismatch { shape: shape.name.to_string(), output, found, expected });
            }
        }
    }
    Ok(ShapeReport {
        name: shape.name.to_string(),
        n,
        m,
        units: shape.units,
        outputs: shape.outputs,
        weight_bits: shape.weight_bits(),
        operations,
        explain,
    })
}

/// Read, evaluate and find the logarithms of many ciphertexts together: the mean for one of them.
fn measure_batch(
    count: usize,
    clock: &Clock,
    encryptor: &Encryptor,
    evaluator: &Evaluator,
    (u, v): (&[i64], &[i64]),
    expected: &[i128],
) -> Result<OperationReport, BenchError> {
    let inputs = vec![(u.to_vec(), v.to_vec()); count];
    let made = encryptor.encrypt_batch(&inputs, &mut StdRng::seed_from_u64(4));
    let encoded: Vec<Vec<u8>> = made.into_iter().map(|made| Ok(made?.to_bytes())).collect::<Result<_, BenchError>>()?;
    let slices: Vec<&[u8]> = encoded.iter().map(Vec::as_slice).collect();
    let work = |()| -> Result<Vec<Vec<i64>>, BenchError> {
        let read = Ciphertext::from_bytes_batch(&slices).into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(evaluator.evaluate_batch(&read).into_iter().collect::<Result<_, _>>()?)
    };
    let (op, outputs) = clock.time("batch", (0.0, encoded[0].len()), || (), work);
    for outputs in outputs? {
        for (output, (found, &expected)) in outputs.into_iter().zip(expected).enumerate() {
            if i128::from(found) != expected {
                let shape = format!("batch of {count}");
                return Err(BenchError::Mismatch { shape, output, found, expected });
            }
        }
    }
    let each = count as f64;
    Ok(OperationReport { ms: op.ms / each, field_muls: op.field_muls / each, ..op })
}
