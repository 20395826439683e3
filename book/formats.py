"""Parses real files by the byte tables of the book, and fails where table and file disagree.

    python3 book/formats.py [--all] [FOLDER ...]

Without a folder it reads the files that come with the project: the vectors of the crate qfe and the networks. A folder
may hold files of any format, and age files with the identity that opens them (`*.identity`; needs pyrage). With --all
every table must have parsed something.
"""

import base64
import importlib.util
import json
import os
import pathlib
import re
import sqlite3
import struct
import sys

from containers import dataset, network, safetensors
from tables import ROOT, SEEN, TABLES, Wrong, check, check_signature, fields, hash_of_parts, key_bytes, parse, require, rows, sha

OWN = [ROOT / "crates/qfe/tests/vectors", ROOT / "networks"]


def framed(data, definition=None):
    """An object of the frame, with its body."""
    head = parse("frame", data, {"p": 0, "q": 0})
    require(head["checksum"] == sha(data[:-32]), "the checksum is not that of the bytes before")
    compressed = head["compressed"]
    known = {**head, "body": len(head["body"]), "p": 48 if compressed else 96, "q": 96 if compressed else 192}
    kind = head["kind"]
    body = parse(f"kind {kind}", data[:-32], known, start=68)
    if kind == 1 and not compressed:
        text = b"halflight qfe public key v1" + struct.pack("<HII", head["suite"], head["n"], head["m"])
        require(head["public-key id"] == sha(text, body["s"], body["t"]), "the public-key id is not that of the points")
    if kind == 9:
        message(head, body, data, definition)
    return {**head, **body}


def message(head, body, data, definition):
    """The content of a message of a ceremony by its step, and its signature."""
    n, m, entries = head["n"], head["m"], head["outputs"]
    points = {"p": 96, "q": 192, "compressed": 0}
    left, right, proof = 96 * n, 192 * m, 32
    sizes = {
        1: 32,
        2: entries * left + 96 + proof + right + 192 + proof,
        3: entries * left + 96 + proof,
        4: entries * (168 + 32 * n),
        6: 32,
        7: 32 * n,
    }
    require(head["units"] in sizes, f"message of step {head['units']}")
    content = body["content"]
    require(len(content) == sizes[head["units"]], f"message of step {head['units']} has {len(content)} bytes")
    if head["units"] in (2, 3):
        check("dealing", "G1", content[: entries * left + 96], points)
        check("dealing", "scalar", content[entries * left + 96 :][:32], points)
    if head["units"] == 2:
        check("dealing", "G2", content[entries * left + 128 : -32], points)
        check("dealing", "scalar", content[-32:], points)
    if definition:
        key = key_bytes(definition["servers"][body["from"] - 1]["key"])
        check_signature(key, data[:-96], body["signature"], f"a message of server {body['from']}")


def minutes(data, definition):
    head = parse("minutes", data)
    content, count = head["list"], 0
    while content:
        length = int.from_bytes(content[2:10], "little")
        entry = parse("entry of minutes", content[: 10 + length])
        framed(entry["message"], definition)
        content, count = content[10 + length :], count + 1
    require(count == head["messages"], f"minutes with {count} messages say {head['messages']}")
    if definition:
        clerk = key_bytes(definition["servers"][definition["clerk"] - 1]["key"])
        digest = hash_of_parts("halflight ceremony minutes v1", data[:-64])
        check_signature(clerk, digest, head["signature"], "the minutes")


def transcript(data):
    rest, parts = data[8:], []
    require(data[:8] == b"HLtrans1", "no transcript")
    while rest:
        length = int.from_bytes(rest[:8], "little")
        parts.append(rest[8 : 8 + length])
        rest = rest[8 + length :]
    definition = json.loads(parts[0])
    fields("ceremony", definition)
    for part in parts[1:]:
        minutes(part, definition) if part.startswith(b"HLminut1") else framed(part, definition)


def table_file(data):
    head = parse("table", data)
    require(head["digest of the parts"] == sha(head["first part"], head["second part"]), "digest of the parts")
    require(head["digest of the header"] == sha(data[:96]), "digest of the header")


def envelope(data):
    found = parse("envelope", data)
    framed(found["body"])
    if found["signed"]:
        end = len(data) - 96
        digest = hash_of_parts("halflight envelope v2", data[:end])
        check_signature(found["signer"], digest, found["signature"], "the envelope")


def parameters(data):
    record = json.loads(data)
    fields("parameters", record)
    fields("encoder", record["encoder"])
    require(json.dumps(record, separators=(",", ":"), ensure_ascii=False).count(" ") == data.decode().count(" "), "spaces")


def audit(data):
    record = json.loads(data)
    fields("audit", record)
    parts = [bytes.fromhex(record["network"]), record["report"].encode(), record["evidence"].encode()]
    digest = hash_of_parts("halflight signed audit v2", *parts)
    check_signature(key_bytes(record["auditor"]), digest, bytes.fromhex(record["signature"]), "the audit")


def grant(data):
    record = json.loads(data)
    fields("grant", record)
    ordered = dict(sorted(record["grant"].items()))
    text = json.dumps([ordered, record["sequence"], record["entry"], record["authority"]], separators=(",", ":"), ensure_ascii=False)
    digest = hash_of_parts("halflight grant v1", text.encode())
    check_signature(key_bytes(record["authority"]), digest, bytes.fromhex(record["signature"]), "the grant")


def parameters_signature(text, file):
    """The line in which an authority signed the parameters in a file."""
    require(text.startswith("parameters2:"), "signature of parameters of another version")
    key, project, epoch, date, signature = text.removeprefix("parameters2:").split("/")
    record, pin = json.loads(file), sha(file)
    about = [bytes.fromhex(record[field]) for field in ("public_key", "network")]
    parts = [project.encode(), int(epoch).to_bytes(4, "big"), int(date).to_bytes(8, "big"), *about, pin]
    digest = hash_of_parts("halflight public parameters v2", *parts)
    check_signature(key_bytes(key), digest, bytes.fromhex(signature), "the parameters")


def ledger(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        cursor = connection.execute("SELECT * FROM ledger ORDER BY sequence")
        names = [column[0] for column in cursor.description]
        entries = [dict(zip(names, row)) for row in cursor]
    before = "0" * 64
    for number, entry in enumerate(entries, 1):
        fields("ledger", entry)
        require(entry["sequence"] == number and entry["previous"] == before, f"entry {number} does not follow")
        parts = [number.to_bytes(8, "big"), entry["at"].to_bytes(8, "big"), entry["event"].encode(), bytes.fromhex(before)]
        digest = hash_of_parts("halflight ledger entry v1", *parts)
        require(digest.hex() == entry["hash"], f"entry {number}: its hash is not that of its parts")
        key, signature = entry["signature"].split("/")
        signed = hash_of_parts("halflight ledger entry signature v1", digest)
        check_signature(key_bytes(key), signed, bytes.fromhex(signature), f"entry {number}")
        before, signer = entry["hash"], key_bytes(key)
    head = path.with_name("ledger.head")
    if entries and head.exists():
        checkpoint(head.read_text(), len(entries), before, signer)


def checkpoint(text, count, last, key):
    require(len(rows("lines: checkpoint")) == 5, "the checkpoint has five lines")
    origin, size, digest, empty, line, *_ = text.split("\n")
    mark, name, signature = line.split(" ")
    raw = base64.b64decode(signature)
    require((size, base64.b64decode(digest).hex(), empty, mark) == (str(count), last, "", "—"), "checkpoint")
    require(origin == f"halflight/ledger/{key[:16].hex()}" and name == origin, "origin of the checkpoint")
    require(raw[:4] == sha(name.encode() + b"\n\x01" + key)[:4], "the four bytes that name the key")
    check_signature(key, f"{origin}\n{size}\n{digest}\n".encode(), raw[4:], "the checkpoint")


def opened(path, data, identities):
    """The content of an age file, with whatever identity opens it, or the passphrase in HALFLIGHT_PASSPHRASE."""
    try:
        import pyrage
    except ImportError:
        return None
    for identity in identities:
        secret = re.search(r"AGE-SECRET-KEY-\w+", identity.read_text())
        try:
            return pyrage.decrypt(data, [pyrage.x25519.Identity.from_str(secret[0])])
        except pyrage.DecryptError:
            continue
    try:
        return pyrage.passphrase.decrypt(data, os.environ.get("HALFLIGHT_PASSPHRASE", ""))
    except pyrage.DecryptError:
        return None


def parse_file(path, identities, definitions):
    """What a file was, or None where the book has no table for it."""
    data = path.read_bytes()
    near = [definition for folder, definition in definitions.items() if folder in path.parents]
    definition = near[-1] if near else None
    if data.startswith(b"age-encryption.org/v1"):
        data = opened(path, data, identities) or b""
    if data.startswith(b"halflight stored mask 1\n"):
        data = parse("stored mask", data)["mask"]
    if data.startswith(b"HLQF"):
        return f"kind {framed(data, definition)['kind']}"
    if data.startswith(b"HLEV"):
        return envelope(data) or "envelope"
    if data.startswith(b"HLQT"):
        return table_file(data) or "table"
    if data.startswith(b"HLminut1"):
        return minutes(data, definition) or "minutes"
    if data.startswith(b"HLtrans1"):
        return transcript(data) or "transcript"
    if path.suffix == ".safetensors":
        about = safetensors(data)[1]
        if about.get("format") == "halflight dataset":
            return dataset(data) or "data set"
        return network(data) or "network" if "halflight" in about else None
    if path.suffix == ".sqlite":
        return ledger(path) or "ledger"
    if path.name == "parameters.signature":
        return parameters_signature(data.decode(), path.with_name("parameters").read_bytes()) or "signature of parameters"
    if path.suffix == ".json" or path.name == "parameters":
        return parse_json(data)
    return None


def page(data):
    record = json.loads(data)
    fields("page", record)
    require(("form" in record) == (record["version"] == 2) and ("ink" in record) == (record["version"] == 1), "ink or form")
    size, outputs = record["height"] * record["width"], record["cloud"]["outputs"]
    require(len(outputs) == len(record["cloud"]["main"]) == len(record["cloud"]["collateral"]), "labels of the cloud")
    for sample in record["samples"]:
        require(len(base64.b64decode(sample["pixels"])) == size, "bytes of a sample")
        require(len(sample["output"]) == len(outputs[0]), "outputs of a sample")
        columns = record.get("form", {}).get("table", {}).get("columns")
        require(len(sample.get("values", [])) == len(columns or []), "values of a sample")


def parse_json(data):
    try:
        record = json.loads(data)
    except ValueError:
        return None
    kinds = {
        "halflight signed audit": audit,
        "halflight grant": grant,
        "halflight page": page,
        "halflight public parameters": parameters,
        "halflight ceremony": lambda data: fields("ceremony", json.loads(data)) and None,
    }
    kind = record.get("format") if isinstance(record, dict) else None
    return (kinds[kind](data) or kind) if kind in kinds else None


def walk(folders):
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    identities = [path for path in paths if path.suffix == ".identity"]
    definitions = {path.parent: json.loads(path.read_text()) for path in paths if path.name == "ceremony.json"}
    counts, failed, known = {}, 0, set()
    for path in paths:
        # Pages begin with copies of the same files, and a passphrase takes a second.
        content = (path.suffix, sha(path.read_bytes()))
        if content in known:
            continue
        known.add(content)
        try:
            kind = parse_file(path, identities, definitions)
        except (Wrong, KeyError, IndexError, ValueError, struct.error) as error:
            print(f"{path}: {type(error).__name__}: {error}", file=sys.stderr)
            failed += 1
            continue
        if kind:
            counts[kind] = counts.get(kind, 0) + 1
    return counts, failed


def report(folders, every):
    """Parses all files of the folders and says what they were; `every`: tables that parsed nothing count too."""
    counts, failed = walk(folders)
    print("parsed by the tables of the book: " + ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
    unseen = set(TABLES) - set(SEEN) if every else set()
    if unseen and importlib.util.find_spec("pyrage") is None:
        print("left out: age files cannot be opened without pyrage", file=sys.stderr)
        unseen -= {"format: kind 5", "format: stored mask"}
    for name in sorted(unseen):
        print(f"no file for the table “{name}”", file=sys.stderr)
    return failed + len(unseen)


def main():
    folders = [pathlib.Path(argument) for argument in sys.argv[1:] if argument != "--all"]
    return report(OWN + folders, "--all" in sys.argv) > 0


if __name__ == "__main__":
    sys.exit(main())
