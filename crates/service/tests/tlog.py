"""A reader of transparency logs that knows nothing of Halflight but its addresses: from the specifications alone
(c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, and RFC 6962).

    tlog.py URL TOKEN LOG_KEY NAME=WITNESS_KEY …      keys as 64 hexadecimal digits
"""

import base64
import hashlib
import struct
import sys
import urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

url, token, log, *witnesses = sys.argv[1:]


def get(path):
    request = urllib.request.Request(f"{url}/v1/tlog/{path}", headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def key_id(name, kind, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def holds(key, signature, text):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text)
        return True
    except InvalidSignature:
        return False


text, signatures = get("checkpoint").decode().rsplit("\n\n", 1)
text += "\n"
origin, size, root = text.split("\n")[:3]
size, root = int(size), base64.b64decode(root)
lines = {}
for line in signatures.splitlines():
    dash, name, blob = line.split(" ")
    assert dash == "—"
    blob = base64.b64decode(blob)
    lines.setdefault((name, blob[:4]), []).append(blob[4:])

key = bytes.fromhex(log)
assert any(holds(key, s, text.encode()) for s in lines[origin, key_id(origin, 1, key)]), "the log's signature"
for named in witnesses:
    name, key = named.split("=")
    key = bytes.fromhex(key)
    [blob] = lines[name, key_id(name, 4, key)]
    time = struct.unpack(">Q", blob[:8])[0]
    signed = f"cosignature/v1\ntime {time}\n{text}"
    assert holds(key, blob[8:], signed.encode()), f"the cosignature of {name}"
    assert 1_700_000_000 < time < 1 << 40


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def tree(leaves):
    """MTH of RFC 6962, 2.1."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while 2 * split < len(leaves):
        split *= 2
    return node(tree(leaves[:split]), tree(leaves[split:]))


def address(index, width):
    path = f"{index % 1000:03}"
    while index >= 1000:
        index //= 1000
        path = f"x{index % 1000:03}/{path}"
    return path if width == 256 else f"{path}.p/{width}"


leaves = []
for index in range((size + 255) // 256):
    width = min(256, size - 256 * index)
    tile = get(f"tile/0/{address(index, width)}")
    assert len(tile) == 32 * width
    bundle = get(f"tile/entries/{address(index, width)}")
    for place in range(width):
        leaf = tile[32 * place : 32 * place + 32]
        (length,) = struct.unpack(">H", bundle[:2])
        entry, bundle = bundle[2 : 2 + length], bundle[2 + length :]
        assert hashlib.sha256(b"\0" + entry).digest() == leaf
        leaves.append(leaf)
    assert not bundle
assert tree(leaves) == root, "the root"
print(size, len(witnesses))
