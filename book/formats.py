"""Parses real files by the byte tables of the book, and fails where table and file disagree.

    python3 book/formats.py [--all] [FOLDER ...]

Without a folder it reads the files that come with the project: the vectors of the crate qfe and the networks. A folder
may hold files of any format, and age files with the identity that opens them (`*.identity`; needs pyrage). With --all
every table must have parsed something.
"""

import base64
import hashlib
import importlib.util
import json
import os
import pathlib
import re
import sqlite3
import struct
import sys

import curves

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [ROOT / "book/src/reference/formats.md", ROOT / "book/src/reference/ceremony.md"]
OWN = [ROOT / "crates/qfe/tests/vectors", ROOT / "networks"]
KINDS = {1: "public", 2: "master", 3: "functional", 4: "ciphertext", 5: "mask", 6: "share", 7: "partial"}
SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i32": 4, "i64": 8}
NUMPY = {"I32": 4, "F32": 4, "F64": 8, "I64": 8, "U8": 1}


def tables():
    """The tables that follow a marker, by its text: lists of cells without the heading."""
    found = {}
    for page in PAGES:
        for name, table in re.findall(r"^<!-- (\w+: [\w ]+) -->\n\n((?:\|.*\n)+)", page.read_text(), re.MULTILINE):
            rows = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:]]
            found[name] = [[cell.strip(" |") for cell in row] for row in rows]
    return found


TABLES = tables()
SEEN = {}


class Wrong(Exception):
    """A file that the tables do not describe."""


def require(holds, problem):
    if not holds:
        raise Wrong(problem)


def rows(name):
    require(name in TABLES, f"the book has no table “{name}”")
    SEEN[name] = SEEN.get(name, 0) + 1
    return TABLES[name]


def value(expression, known):
    """The value of a length or an offset such as `68 + 2·n·p`."""
    text = expression.replace("·", "*").replace("−", "-")
    require(re.fullmatch(r"[\w\s+*()-]+", text), f"no expression: {expression}")
    return eval(text, {"__builtins__": {}}, known)


def parse(name, data, known=None, start=0):
    """The fields of bytes by a table; the rows must cover them from `start` to the end without a gap."""
    known = {"rest": len(data), **(known or {})}
    fields, place = {}, start
    for offset, length, field, kind, meaning in rows(f"format: {name}"):
        where = f"{name}, {field}"
        require(value(offset, known) == place, f"{where}: the table says offset {offset}, and it is at {place}")
        count = value(length, known)
        part = data[place : place + count]
        require(len(part) == count, f"{where}: {count} bytes expected at {place}, {len(part)} are there")
        found = check(where, kind, part, known)
        symbol = re.fullmatch(r"`(\w+)`", field)
        if symbol:
            known[symbol[1]] = found
        constant = re.match(r"always (?:`([^`]+)`|(\d+))(, then a line feed)?", meaning)
        if constant:
            wanted = int(constant[2]) if constant[2] else constant[1] + ("\n" if constant[3] else "")
            require(found == wanted, f"{where}: {found!r}, and the table says always {wanted!r}")
        fields[field.strip("`")] = found
        place += count
    require(place == len(data), f"{name}: the table ends at {place}, the bytes at {len(data)}")
    return fields


def check(where, kind, part, known):
    """A field as its type says; points and scalars are checked one by one."""
    if kind == "text":
        return part.decode()
    if kind in SIZES:
        size = SIZES[kind]
        require(len(part) % size == 0, f"{where}: no whole number of {kind}")
        numbers = [int.from_bytes(part[i : i + size], "little", signed=kind[0] == "i") for i in range(0, len(part), size)]
        return numbers[0] if len(numbers) == 1 else numbers
    if kind in ("G1", "G2"):
        size = known["p" if kind == "G1" else "q"]
        require(len(part) % size == 0, f"{where}: no whole number of points")
        for start in range(0, len(part), size):
            try:
                curves.check_point(part[start : start + size], kind == "G1", bool(known["compressed"]))
            except ValueError as error:
                raise Wrong(f"{where}: {error}") from error
    elif kind == "scalar":
        for start in range(0, len(part), 32):
            scalar = int.from_bytes(part[start : start + 32], "little")
            require(scalar < curves.ORDER, f"{where}: a scalar is not below the group order")
    else:
        require(kind == "bytes", f"{where}: unknown type {kind}")
    return part


def sha(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def hash_of_parts(domain, *parts):
    return sha(domain.encode() + b"\0", *(len(part).to_bytes(8, "big") + part for part in parts))


def check_signature(key, message, signature, what):
    require(curves.signed(key, message, signature), f"the signature of {what} does not hold")


def key_bytes(text):
    require(text.startswith("ed25519:"), f"no key: {text}")
    return bytes.fromhex(text.removeprefix("ed25519:"))


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


def fields(name, record):
    """That a JSON object has the fields of a table; those described as absent may be. Gives the order of the table."""
    listed = [(field, "absent" in meaning or "only where" in meaning) for field, *_, meaning in rows(f"fields: {name}")]
    known = [(field, optional) for names, optional in listed for field in re.findall(r"`(\w+)`", names)]
    for field, optional in known:
        require(field in record or optional, f"{name}: no field {field}")
    unknown = set(record) - {field for field, _ in known}
    require(not unknown, f"{name}: the table lacks {sorted(unknown)}")
    return [field for field, _ in known if field in record]


def safetensors(data):
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    about = header.pop("__metadata__", {})
    start = 8 + length
    parts = {name: data[start + entry["data_offsets"][0] : start + entry["data_offsets"][1]] for name, entry in header.items()}
    for name, entry in header.items():
        size = NUMPY[entry["dtype"]]
        for side in entry["shape"]:
            size *= side
        require(size == len(parts[name]), f"tensor {name} has {len(parts[name])} bytes")
    require(sum(map(len, parts.values())) == len(data) - start, "the tensors do not fill the file")
    return header, about, parts


def tensors(name, header, sizes):
    """That the tensors are those of a table, with its types and shapes."""
    wanted = {}
    for tensor, dtype, shape, meaning in rows(f"tensors: {name}"):
        wanted[tensor.strip("`").replace("I", r"(\d+)")] = (dtype, shape.strip("`"), "absent" in meaning or "as above" in meaning)
    for tensor, entry in header.items():
        match = [found for pattern, found in wanted.items() if re.fullmatch(pattern, tensor)]
        require(match, f"{name}: the table lacks the tensor {tensor}")
        dtype, shape, _ = match[0]
        require(entry["dtype"] == dtype, f"{name}: {tensor} is {entry['dtype']}, not {dtype}")
        sides = [side.strip() for side in shape.strip("[]").split(",")]
        require(len(sides) == len(entry["shape"]), f"{name}: {tensor} has shape {entry['shape']}")
        for side, found in zip(sides, entry["shape"]):
            if side not in ("in", "out"):
                require(value(side, sizes) == found, f"{name}: {tensor} has shape {entry['shape']}, not {shape}")
    for pattern, (_, _, optional) in wanted.items():
        there = any(re.fullmatch(pattern, tensor) for tensor in header)
        require(there or optional or "(" in pattern, f"{name}: no tensor {pattern}")


def network(data):
    header, about, parts = safetensors(data)
    text = about["halflight"]
    record = json.loads(text)
    if record["format"] == "halflight network":
        d, S = header["left.bias"]["shape"][0], header["combine.weight"]["shape"][0]
        right = header.get("right.weight", header["left.weight"])
        tensors("float", header, {"d": d, "S": S, "n": header["left.weight"]["shape"][1] + 1, "m": right["shape"][1] + 1})
        return
    fields("compiled", record)
    (S, d), n = header["combine"]["shape"], header["left"]["shape"][1]
    m = header.get("right", header["left"])["shape"][1]
    tensors("compiled", header, {"d": d, "S": S, "n": n, "m": m})
    # The encoder as it stands in the file is its canonical text.
    start = text.index('"encoder":') + len('"encoder":')
    encoder, end = json.JSONDecoder().raw_decode(text, start)
    order = fields("encoder", encoder)
    require(list(encoder) == order, f"the encoder has its fields in another order: {list(encoder)}")
    require(" " not in text[start:end], "the encoder's text has spaces")
    hashed(record, parts, header, text[start:end], (d, S, n, m))


def sized(text):
    return len(text.encode()).to_bytes(8, "little") + text.encode()


def hashed(record, parts, header, encoder, sizes):
    """That the hash is that of the bytes that the table lists, and their number that of the table."""
    d, S, n, m = sizes
    squares, classes = "right" not in parts, record["classes"]
    layers = []
    for layer in range(len(header)):
        if f"head.{layer}.bias" in parts:
            out, width = header[f"head.{layer}.weight"]["shape"]
            weight = parts[f"head.{layer}.weight"]
            cells = [[weight[4 * (row * width + column) :][:4] for row in range(out)] for column in range(width)]
            turned = b"".join(b"".join(column) for column in cells)
            layers.append((struct.pack("<QQ", width, out) + turned, struct.pack("<Q", out) + parts[f"head.{layer}.bias"]))
    pieces = [
        b"halflight compiled network 1",
        struct.pack("<6Q", d, S, n, m, squares, len(classes)),
        parts["left"],
        parts["left" if squares else "right"],
        parts["combine"],
        b"".join(struct.pack("<qq", *both) for both in record["declared"]),
        sized(encoder),
        b"".join(map(sized, [record["main"], *classes])),
        b"net" if "centre" in parts else b"largest",
        parts.get("centre", b""),
        parts.get("scale", b""),
    ]
    listed = [length for length, *_ in rows("hashed: compiled")]
    known = {"d": d, "S": S, "n": n, "m": m, "e": len(encoder.encode())}
    for piece, length in zip(pieces, listed):
        if re.fullmatch(r"[\w\s+·]+", length) and " or " not in length and (piece or "centre" in parts):
            require(value(length, known) == len(piece), f"hashed bytes: {length} in the table, {len(piece)} in the file")
    require(len(listed) == len(pieces) + 2, "the table of hashed bytes has another number of rows")
    digest = sha(*pieces, *(part for layer in layers for part in layer))
    require(digest.hex() == record["hash"], "the hash of the network is not that of the bytes in the table")


def dataset(data):
    header, about, _ = safetensors(data)
    require((about["format"], about["version"]) == ("halflight dataset", "1"), "no data set")
    labels = json.loads(about["labels"])
    kinds = {name.strip("`"): (dtype, shape) for names, dtype, shape, _ in rows("tensors: data") for name in names.split(", or ")}
    count = None
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"][0]):
        dtype, shape = kinds["one for each label" if name in labels else name]
        require(entry["dtype"] == dtype, f"data set: {name} is {entry['dtype']}")
        require(len(shape.split(",")) == len(entry["shape"]), f"data set: {name} has shape {entry['shape']}")
        count = count or entry["shape"][0]
        require(entry["shape"][0] == count, f"data set: {name} has another number of items")
    last = max(header, key=lambda name: header[name]["data_offsets"][1])
    require(last in ("images", "features"), "data set: items do not come last")


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


def parse_json(data):
    try:
        record = json.loads(data)
    except ValueError:
        return None
    kinds = {
        "halflight signed audit": audit,
        "halflight grant": grant,
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
