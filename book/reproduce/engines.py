"""The same ciphertexts on every engine with two workers: are the results the same to the last byte, and how long does it take?

    HALFLIGHT=target/debug/halflight python book/reproduce/engines.py FOLDER [ROWS] [ENGINE …] [--kill]

Needs the Python package with pyarrow, and whichever of ray, daft, datafusion and pyspark (with Java) are to take part; an
engine that is not installed is left out and said so. Handwritten digits of 8 × 8 pixels, 1,500 ciphertexts in 12 files.
Every worker has one core: two threads of one process, or two processes of one thread. With `--kill`, a worker is killed
after the first results, by a signal that it cannot catch: every row must be there once, as if nothing had happened.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import clusters
from common import HALFLIGHT, halflight, once, row

ENGINES = {"halflight score": None, "ray": "ray", "daft on ray": "daft", "datafusion": "datafusion", "spark": "pyspark"}
COLUMNS = ["id", "output", "label", "probabilities", "error"]
FILES = 12
# The processes that do the work of an engine, by a part of their command line.
WORKERS = {"halflight score": "score", "ray": "ray::", "daft on ray": "ray::", "spark": "CoarseGrainedExecutorBackend"}


def prepare(folder, rows):
    """A model and its ciphertexts; what is there already stays."""
    os.environ.setdefault("HALFLIGHT_PASSPHRASE", "of a key that opens these digits alone")
    folder.mkdir(parents=True, exist_ok=True)
    once(folder, "digits.safetensors", "dataset", "import", "handwriting")
    once(folder, "network.safetensors", "train", "--data", "digits.safetensors", "--main", "digit", "--collateral", "ink",
         "--outputs", "4", "--pooling", "1", "--steps", "200")
    once(folder, "compiled.safetensors", "compile", "network.safetensors", "--data", "digits.safetensors", "--steps", "50")
    if not (folder / "authority").exists():
        halflight(folder, "authority", "init", "--network", "compiled.safetensors", "--folder", "authority")
    once(folder, "functional.key", "authority", "issue", "--folder", "authority", "--network", "compiled.safetensors")
    model = folder / "model"
    model.mkdir(exist_ok=True)
    for source, name in [("compiled.safetensors", "network.safetensors"), ("functional.key", "functional.key"),
                         ("authority/public/public.key", "public.key")]:
        shutil.copy(folder / source, model / name)
    halflight(folder, "encrypt", "--parameters", "authority/public", "--data", "digits.safetensors", "--items", f"0..{rows}",
              "--rows", -(-rows // FILES), "--parquet", f"sealed-{rows}")
    # The table of logarithms is made once, for all.
    halflight(folder, "score", "--input", f"sealed-{rows}/part-00000.parquet", "--output", "warm", "--model", "model",
              "--tables", "tables")
    shutil.rmtree(folder / "warm")


def embedded(source, out, model, tables):
    command = [HALFLIGHT, "score", "--input", source, "--output", out, "--model", model, "--tables", tables]
    command = [*map(str, command), "--threads", "2", "--json", "--quiet"]
    # Whoever starts a killed job again is not told what is done.
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode != 0:
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def ray(source, out, model, tables):
    import ray as engine
    from halflight import batch

    begin = time.perf_counter()
    engine.init(num_cpus=2, include_dashboard=False, logging_level="error")
    started = time.perf_counter() - begin
    batch.score(engine.data.read_parquet(str(source)), model, tables=tables).write_parquet(str(out))
    return started


def daft(source, out, model, tables):
    import daft as engine
    import ray as cluster
    from halflight import batch

    begin = time.perf_counter()
    cluster.init(num_cpus=2, include_dashboard=False, logging_level="error")
    engine.set_runner_ray()
    started = time.perf_counter() - begin
    batch.score(engine.read_parquet(f"{source}/*.parquet"), model, tables=tables).write_parquet(str(out))
    return started


def datafusion(source, out, model, tables):
    from datafusion import SessionConfig, SessionContext
    from halflight import batch

    context = SessionContext(SessionConfig().with_target_partitions(2).with_batch_size(64))
    batch.score(context.read_parquet(str(source)), model, tables=tables).write_parquet(str(out))


def spark(source, out, model, tables):
    from halflight import batch

    begin = time.perf_counter()
    with clusters.spark(workers=2) as session:
        started = time.perf_counter() - begin
        batch.score(session.read.parquet(str(source)), model, tables=tables).write.parquet(f"file://{out}")
    return started


RUN = dict(zip(ENGINES, [embedded, ray, daft, datafusion, spark]))


def digest(out):
    """Hash of all rows in the order of their numbers, in one form of Arrow's file format."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    # Each file by itself: folders of engines may hold files that say nothing.
    tables = [parquet.read_table(path) for path in sorted(out.rglob("*.parquet"))]
    types = [pa.int64(), pa.list_(pa.int64()), pa.string(), pa.list_(pa.float32()), pa.string()]
    plain = pa.schema(list(zip(COLUMNS, types)))
    table = pa.concat_tables([table.select(COLUMNS).cast(plain) for table in tables if table.num_rows])
    table = table.sort_by("id").combine_chunks()
    # Offsets and buffers may begin elsewhere: built anew, equal rows are equal bytes.
    table = pa.Table.from_pylist(table.to_pylist(), schema=plain)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, plain) as file:
        file.write_table(table)
    return table.num_rows, hashlib.sha256(sink.getvalue()).hexdigest()


def one(folder, rows, engine, kill):
    out = folder / f"scored-{engine.replace(' ', '-')}"
    shutil.rmtree(out, ignore_errors=True)
    killed = []
    if kill:
        threading.Thread(target=clusters.kill_one, args=(out, WORKERS[engine], killed), daemon=True).start()
    begin = time.perf_counter()
    started = RUN[engine](folder / f"sealed-{rows}", out, str(folder / "model"), str(folder / "tables")) or 0.0
    whole = time.perf_counter() - begin
    if kill and not killed:
        raise SystemExit("the job ended before a worker could be killed: give it more rows")
    count, found = digest(out)
    told = {"rows": count, "digest": found, "started": started, "seconds": whole - started, "killed": killed}
    print(json.dumps(told))


def main():
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--kill", "--one")]
    kill = "--kill" in sys.argv
    folder = Path(arguments[0]).resolve()
    rows = int(arguments[1]) if len(arguments) > 1 else 1500
    if "--one" in sys.argv:
        return one(folder, rows, arguments[2], kill)
    prepare(folder, rows)
    wanted = arguments[2:] or [engine for engine in ENGINES if not kill or engine in WORKERS]
    row("engine, two workers", "rows", "seconds", "rows a second", "starting, seconds", "killed", "digest of the rows")
    row("---", "---", "---", "---", "---", "---", "---")
    # What one run found, another one on the same ciphertexts must find too.
    kept = folder / f"sealed-{rows}.digest"
    for engine in wanted:
        needed = ENGINES[engine]
        if needed is not None and importlib.util.find_spec(needed) is None:
            print(f"left out: {engine} is not installed", file=sys.stderr)
            continue
        # Each in a process of its own, whose workers have one thread each where they are processes.
        threads = "2" if engine in ("halflight score", "datafusion") else "1"
        # Ray gives way to other programs unless it is told not to; the others do not.
        even = {"RAYON_NUM_THREADS": threads, "PYSPARK_PYTHON": sys.executable, "RAY_worker_niceness": "0"}
        command = [sys.executable, __file__, str(folder), str(rows), engine, "--one", *(["--kill"] if kill else [])]
        done = subprocess.run(command, env={**os.environ, **even}, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{engine}:\n{done.stderr[-4000:]}")
        found = json.loads(done.stdout.splitlines()[-1])
        rate = found["rows"] / found["seconds"]
        row(engine, found["rows"], f"{found['seconds']:.1f}", f"{rate:.0f}", f"{found['started']:.1f}",
            ", ".join(found["killed"]), found["digest"][:16])
        if not kept.exists():
            kept.write_text(found["digest"])
        if (found["rows"], found["digest"]) != (rows, kept.read_text()):
            raise SystemExit(f"{engine}: {rows} rows with digest {kept.read_text()[:16]} were expected")


if __name__ == "__main__":
    main()
