"""The two curves of Halflight's files, as far as a check of the files needs them: points of BLS12-381, signatures of Ed25519."""

import hashlib

ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
FIELD = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
FLAGS = 0xE0
COMPRESSED, INFINITE = 0x80, 0x40


def coordinates(data):
    """Big-endian numbers of 48 bytes, the first without its flags."""
    numbers = [bytes([data[0] & ~FLAGS]) + data[1:48], *(data[start : start + 48] for start in range(48, len(data), 48))]
    values = [int.from_bytes(number, "big") for number in numbers]
    if max(values) >= FIELD:
        raise ValueError("a coordinate is not below the prime of the field")
    return values


def times(a, b):
    """A product in the field with i² = −1."""
    return (a[0] * b[0] - a[1] * b[1]) % FIELD, (a[0] * b[1] + a[1] * b[0]) % FIELD


def check_point(data, left, compressed):
    """Raises ValueError unless the bytes may be a point: of G1 (`left`) or of G2; the imaginary part comes first."""
    flags = data[0] & FLAGS
    if compressed != bool(flags & COMPRESSED) or (not compressed and flags & ~INFINITE):
        raise ValueError("the flags of a point are wrong")
    values = coordinates(data)
    if flags & INFINITE:
        if any(values):
            raise ValueError("the point at infinity has coordinates")
    elif not compressed and left:
        x, y = values
        if (y * y - x**3 - 4) % FIELD:
            raise ValueError("a point of G1 is not on its curve")
    elif not compressed:
        x, y = (values[1], values[0]), (values[3], values[2])
        cube, square = times(x, times(x, x)), times(y, y)
        if square != ((cube[0] + 4) % FIELD, (cube[1] + 4) % FIELD):
            raise ValueError("a point of G2 is not on its curve")


# Ed25519: −x² + y² = 1 + d·x²·y² over the prime 2²⁵⁵ − 19.
PRIME = 2**255 - 19
D = -121665 * pow(121666, -1, PRIME) % PRIME
GROUP = 2**252 + 27742317777372353535851937790883648493


def lift(data):
    """The point of 32 bytes, as (x, y, 1, x·y)."""
    number = int.from_bytes(data, "little")
    y, sign = number % 2**255, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    if y >= PRIME or (x * x - square) % PRIME:
        raise ValueError("no point of Ed25519")
    if x % 2 != sign:
        x = PRIME - x
    return x, y, 1, x * y % PRIME


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * D * p[3] * q[3], 2 * p[2] * q[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def multiply(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


BASE = lift((4 * pow(5, -1, PRIME) % PRIME).to_bytes(32, "little"))


def signed(key, message, signature):
    """Whether this key of 32 bytes signed the message."""
    try:
        first, public = lift(signature[:32]), lift(key)
    except ValueError:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    digest = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % GROUP
    left, right = multiply(scalar, BASE), add(first, multiply(digest, public))
    same = all((left[i] * right[2] - right[i] * left[2]) % PRIME == 0 for i in (0, 1))
    return scalar < GROUP and same
