"""The hash of a compiled network by its description in the book, apart from the code in Rust.

`python3 identity.py FILE...` compares it with the hash in each file; without files it prints those of tests/identity.rs.
"""

import hashlib
import json
import struct
import sys


def identity(squares, left, right, combine, ranges, encoder, main, classes, head):
    """`left`, `right`, `combine` and the layers of `head` are pairs of shape and numbers."""
    (units, n), (_, m), (outputs, _) = left[0], right[0], combine[0]
    out = b"halflight compiled network 1"
    out += struct.pack("<6Q", units, outputs, n, m, squares, len(classes))
    for _, numbers in (left, right, combine):
        out += struct.pack(f"<{len(numbers)}i", *numbers)
    for ends in ranges:
        out += struct.pack("<2q", *ends)
    for text in (encoder, main, *classes):
        out += struct.pack("<Q", len(text.encode())) + text.encode()
    if head is None:
        return hashlib.sha256(out + b"largest").hexdigest()
    centre, scale, layers = head
    out += b"net" + struct.pack(f"<{2 * outputs}d", *centre, *scale)
    for shape, numbers in layers:
        out += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack(f"<{len(numbers)}f", *numbers)
    return hashlib.sha256(out).hexdigest()


def member(text, name):
    """The text of one object in a JSON object, as it stands there."""
    start = text.index(f'"{name}":') + len(name) + 3
    _, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end]


def of_file(path):
    """The hash by the content of a file, and the one that it says."""
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    text = header.pop("__metadata__")["halflight"]
    about = json.loads(text)

    def tensor(name):
        begin, end = (8 + length + offset for offset in header[name]["data_offsets"])
        kind = {"I32": "i", "F32": "f", "F64": "d"}[header[name]["dtype"]]
        count = (end - begin) // struct.calcsize(kind)
        return header[name]["shape"], struct.unpack(f"<{count}{kind}", data[begin:end])

    head = None
    if "centre" in header:
        layers = []
        while f"head.{len(layers) // 2}.weight" in header:
            layer = f"head.{len(layers) // 2}"
            # [out, in] in the file.
            (out, into), weights = tensor(f"{layer}.weight")
            layers.append(([into, out], [weights[o * into + i] for i in range(into) for o in range(out)]))
            layers.append(tensor(f"{layer}.bias"))
        head = tensor("centre")[1], tensor("scale")[1], layers
    squares = "right" not in header
    sides = tensor("left"), tensor("left" if squares else "right"), tensor("combine")
    found = identity(squares, *sides, about["declared"], member(text, "encoder"), about["main"], about["classes"], head)
    return found, about["hash"]


def encoder(bits):
    return (
        f'{{"height":1,"width":2,"bits":{bits},"low":0.0,"high":1.0,"pooling":1,"dark":false,"per_image":false,'
        '"cells":[0,1],"map":"cells","right":[0,1]}'
    )


if __name__ == "__main__":
    for path in sys.argv[1:]:
        found, said = of_file(path)
        print(path, found, "right" if found == said else f"wrong: the file says {said}")
    if not sys.argv[1:]:
        product = ([2, 3], [0, 1, 0, 0, 1, 1]), ([2, 3], [0, 0, 1, 255, 0, 0]), ([2, 2], [1, 0, 0, 1])
        print(identity(False, *product, [(0, 65025), (0, 130050)], encoder(8), "kind", ["product", "sum"], None))
        side = [2, 3], [1, 2, -1, 0, 1, 1]
        head = [0.5], [2.25], [([1, 2], [1.5, -0.1]), ([2], [0.0, 1e-7])]
        print(identity(True, side, side, ([1, 2], [1, -3]), [(-2700, 961)], encoder(4), "größe", ["no", "yes"], head))
