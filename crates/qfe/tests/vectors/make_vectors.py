"""Known-answer vectors for crates/qfe, by an independent implementation.

Plain Python with its own field and curve arithmetic (affine, one inversion per
addition), written from the equations in the crate's documentation. It writes the
files `v1.*` and `vectors.json` next to itself; running it again changes
nothing.

    python3 make_vectors.py
"""

import hashlib
import json
import pathlib
import struct

P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
G1 = (
    0x17F1D3A73197D7942695638C4FA9AC0FC3688C4F9774B905A14E3A3F171BAC586C55E83FF97A1AEFFB3AF00ADB22C6BB,
    0x08B3F481E3AAA0F1A09E30ED741D8AE4FCF5E095D5D00AF600DB18CB2C04B3EDD03CC744A2888AE40CAA232946C5E7E1,
)
G2 = (
    (
        0x024AA2B2F08F0A91260805272DC51051C6E47AD4FA403B02B4510B647AE3D1770BAC0326A805BBEFD48056C8C121BDB8,
        0x13E02B6052719F607DACD3A088274F65596BD0D09920B61AB5DA61BBDC7F5049334CF11213945D57E5AC7D055D042B7E,
    ),
    (
        0x0CE5D527727D6E118CC9CDC6DA2E351AADFD9BAA8CBDD3A76D429A695160D12C923AC9CC3BACA289E193548608B82801,
        0x0606C4A02EA734CC32ACD2B02BC28B99CB3E287E85A763AF267492AB572E99AB3F370D275CEC1DA1AAA9075FF05F79BE,
    ),
)


class Fp:
    zero, one = 0, 1
    add = staticmethod(lambda a, b: (a + b) % P)
    sub = staticmethod(lambda a, b: (a - b) % P)
    mul = staticmethod(lambda a, b: a * b % P)
    inv = staticmethod(lambda a: pow(a, -1, P))
    bytes = staticmethod(lambda a: a.to_bytes(48, "big"))


class Fp2:
    zero, one = (0, 0), (1, 0)
    add = staticmethod(lambda a, b: ((a[0] + b[0]) % P, (a[1] + b[1]) % P))
    sub = staticmethod(lambda a, b: ((a[0] - b[0]) % P, (a[1] - b[1]) % P))
    mul = staticmethod(lambda a, b: ((a[0] * b[0] - a[1] * b[1]) % P, (a[0] * b[1] + a[1] * b[0]) % P))
    bytes = staticmethod(lambda a: a[1].to_bytes(48, "big") + a[0].to_bytes(48, "big"))

    @staticmethod
    def inv(a):
        norm = pow(a[0] * a[0] + a[1] * a[1], -1, P)
        return (a[0] * norm % P, -a[1] * norm % P)


def add(F, p, q):
    """Affine addition; None is infinity."""
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if F.add(p[1], q[1]) == F.zero:
            return None
        three = F.add(F.add(F.one, F.one), F.one)
        slope = F.mul(F.mul(three, F.mul(p[0], p[0])), F.inv(F.add(p[1], p[1])))
    else:
        slope = F.mul(F.sub(q[1], p[1]), F.inv(F.sub(q[0], p[0])))
    x = F.sub(F.sub(F.mul(slope, slope), p[0]), q[0])
    return (x, F.sub(F.mul(slope, F.sub(p[0], x)), p[1]))


def mul(F, k, p):
    k %= R
    result = None
    while k:
        if k & 1:
            result = add(F, result, p)
        p = add(F, p, p)
        k >>= 1
    return result


def point(F, p):
    """Uncompressed encoding."""
    if p is None:
        return bytes([0x40]) + bytes(2 * len(F.bytes(F.zero)) - 1)
    return F.bytes(p[0]) + F.bytes(p[1])


def scalar(label):
    """A scalar and the 64 bytes that a generator would give for it."""
    raw = hashlib.sha512(b"halflight vectors " + label.encode()).digest()
    return int.from_bytes(raw, "little") % R, raw


def frame(kind, key_id, dimensions, body):
    head = b"HLQF" + struct.pack("<HHBBH", 1, 1, kind, 0, 0) + key_id
    head += struct.pack("<4IQ", *dimensions, len(body))
    return head + body + hashlib.sha256(head + body).digest()


def main():
    folder = pathlib.Path(__file__).parent
    n, m, units, outputs = 4, 3, 2, 2
    left = [[1, -2, 3, 0], [7, 0, -7, 5]]
    right = [[2, -1, 4], [-3, 6, 1]]
    combine = [[1, -5], [127, 3]]
    u, v = [1, 15, 0, -3], [1, -2, 300]

    drawn = [scalar(f"s{i}") for i in range(n)] + [scalar(f"t{j}") for j in range(m)]
    s, t = [k for k, _ in drawn[:n]], [k for k, _ in drawn[n:]]
    mask = [scalar(name) for name in ("gamma", "w11", "w12", "w21", "w22")]
    gamma, w11, w12, w21, w22 = (k for k, _ in mask)

    public = b"".join(point(Fp, mul(Fp, k, G1)) for k in s)
    public += b"".join(point(Fp2, mul(Fp2, k, G2)) for k in t)
    sizes = struct.pack("<HII", 1, n, m)
    key_id = hashlib.sha256(b"halflight qfe public key v1" + sizes + public).digest()

    def f(j, x, y):
        dot = lambda a, b: sum(p * q for p, q in zip(a, b))
        return sum(combine[j][k] * dot(left[k], x) * dot(right[k], y) for k in range(units))

    weights = [w for matrix in (left, right, combine) for row in matrix for w in row]
    function = struct.pack(f"<{len(weights)}i", *weights)
    function += b"".join(point(Fp2, mul(Fp2, f(j, s, t), G2)) for j in range(outputs))

    inverse = pow(w11 * w22 - w12 * w21, -1, R)
    m11, m12, m21, m22 = w22 * inverse, -w12 * inverse, -w21 * inverse, w11 * inverse
    ciphertext = point(Fp, mul(Fp, gamma, G1))
    for i in range(n):
        # a_i = Mᵀ (u_i, γ s_i)
        ciphertext += point(Fp, mul(Fp, m11 * u[i] + m21 * gamma * s[i], G1))
        ciphertext += point(Fp, mul(Fp, m12 * u[i] + m22 * gamma * s[i], G1))
    for j in range(m):
        # b_j = W (v_j, −t_j)
        ciphertext += point(Fp2, mul(Fp2, w11 * v[j] - w12 * t[j], G2))
        ciphertext += point(Fp2, mul(Fp2, w21 * v[j] - w22 * t[j], G2))

    # Shares of s among three servers with threshold one: s(x) = s + x·c.
    servers, threshold, epoch = 3, 1, 0
    slopes = [scalar(f"c{i}") for i in range(n)]
    share = lambda index: [(a + index * c) % R for a, (c, _) in zip(s, slopes)]
    seat = lambda index: struct.pack("<Q4H", epoch, servers, threshold, index, 0)
    commitments = seat(0) + b"".join(point(Fp, mul(Fp, c, G1)) for c, _ in slopes)
    shares = seat(2) + b"".join(k.to_bytes(32, "little") for k in share(2))
    sizes = struct.pack("<4I", n, m, units, outputs)
    function_id = hashlib.sha256(b"halflight qfe function v1" + sizes + struct.pack(f"<{len(weights)}i", *weights)).digest()
    partial = lambda index: (
        seat(index) + function_id + b"".join(point(Fp2, mul(Fp2, f(j, share(index), t), G2)) for j in range(outputs))
    )

    master = b"".join(k.to_bytes(32, "little") for k in s + t)
    files = {
        "v1.public": frame(1, key_id, (n, m, 0, 0), public),
        "v1.master": frame(2, key_id, (n, m, 0, 0), master),
        "v1.function": frame(3, key_id, (n, m, units, outputs), function),
        "v1.ciphertext": frame(4, key_id, (n, m, 0, 0), ciphertext),
        "v1.share": frame(6, key_id, (n, m, 0, 0), shares),
        "v1.partial": frame(7, key_id, (n, m, units, outputs), partial(2)),
        "v1.partial3": frame(7, key_id, (n, m, units, outputs), partial(3)),
        "v1.commitments": frame(8, key_id, (n, m, threshold, 0), commitments),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    vectors = {
        "id": key_id.hex(),
        "u": u,
        "v": v,
        "outputs": [f(j, u, v) for j in range(outputs)],
        "setup_bytes": b"".join(raw for _, raw in drawn).hex(),
        "share_bytes": b"".join(raw for _, raw in slopes).hex(),
        "mask_bytes": b"".join(raw for _, raw in mask).hex(),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    (folder / "vectors.json").write_text(json.dumps(vectors, indent=1) + "\n")


main()
