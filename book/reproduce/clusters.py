"""Clusters on one machine, and workers that die: for the scripts about engines."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


@contextlib.contextmanager
def spark(workers):
    """A session on Spark standalone: a master and workers of one core, each a process of its own."""
    import pyspark
    from pyspark.sql import SparkSession

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"spark://127.0.0.1:{port}"
    home = Path(pyspark.__file__).parent
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:

        def start(kind, *arguments):
            command = [home / "bin/spark-class", f"org.apache.spark.deploy.{kind}", "--host", "127.0.0.1",
                       "--webui-port", "0", *arguments]
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)

        start("master.Master", "--port", str(port))
        for worker in range(workers):
            start("worker.Worker", "--cores", "1", "--memory", "2g", "--work-dir", f"{folder}/{worker}", address)
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.executor.memory": "1g",
            "spark.executorEnv.RAYON_NUM_THREADS": "1",
            # No work before all are there.
            "spark.cores.max": workers,
            "spark.scheduler.minRegisteredResourcesRatio": "1.0",
            "spark.scheduler.maxRegisteredResourcesWaitingTime": "120s",
            # A batch goes to Python whole: 64 ciphertexts of 37 kB, where the default of 10,000 would be 370 MB.
            "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
            # A file is about four megabytes: one partition for each.
            "spark.sql.files.maxPartitionBytes": 8 << 20,
            "spark.sql.files.openCostInBytes": 8 << 20,
        }
        # The compiled Snappy is not for every C library.
        for who in ("driver", "executor"):
            settings[f"spark.{who}.extraJavaOptions"] = "-Dorg.xerial.snappy.purejava=true"
        builder = SparkSession.builder.master(address)
        for name, value in settings.items():
            builder = builder.config(name, str(value))
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        stack.callback(session.stop)
        yield session


def kill_one(out, name, killed):
    """Kills a process below this one, `name` in its command line, when the first results are in `out`; says which."""
    while not any(path.stat().st_size for path in list(out.rglob("*.parquet")) if path.exists()):
        time.sleep(0.05)
    # In the middle of what it does next.
    time.sleep(1)
    found = [(seconds, process, command) for process, seconds, command in below(os.getpid()) if name in command]
    if found:
        _, process, command = max(found)
        os.kill(process, signal.SIGKILL)
        words = command.split()
        killed.append(next((word.rsplit(".", 1)[-1] for word in words if name in word), words[0]))


def below(root):
    """Processes that a process started, those included that these started: number, processor time, command line."""
    table = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            command = (stat.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            table[int(stat.parent.name)] = int(fields[1]), int(fields[11]) + int(fields[12]), command
    for process, (parent, seconds, command) in table.items():
        while parent not in (root, 0, 1) and parent in table:
            parent = table[parent][0]
        if parent == root:
            yield process, seconds, command
