"""Safetensors files by the tables of the book: networks with their hashes, and data sets."""

import json
import re
import struct

from tables import fields, require, rows, sha, value

BYTES = {"I32": 4, "F32": 4, "F64": 8, "I64": 8, "U8": 1}


def safetensors(data):
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    about = header.pop("__metadata__", {})
    start = 8 + length
    parts = {name: data[start + entry["data_offsets"][0] : start + entry["data_offsets"][1]] for name, entry in header.items()}
    for name, entry in header.items():
        size = BYTES[entry["dtype"]]
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
