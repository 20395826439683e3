"""The byte tables of the book, and what parses bytes by them."""

import hashlib
import pathlib
import re

import curves

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [ROOT / "book/src/reference/formats.md", ROOT / "book/src/reference/ceremony.md"]
SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i32": 4, "i64": 8}


def tables():
    """The tables that follow a marker, by its text: lists of cells without the heading."""
    found = {}
    for page in PAGES:
        for name, table in re.findall(r"^<!-- (\w+: [\w ]+) -->\n\n((?:\|.*\n)+)", page.read_text(), re.MULTILINE):
            rows = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:]]
            found[name] = [[cell.strip(" |") for cell in row] for row in rows]
    return found


TABLES = tables()
# How often each table was read.
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


def key_bytes(text):
    require(text.startswith("ed25519:"), f"no key: {text}")
    return bytes.fromhex(text.removeprefix("ed25519:"))


def check_signature(key, message, signature, what):
    require(curves.signed(key, message, signature), f"the signature of {what} does not hold")


def fields(name, record):
    """That a JSON object has the fields of a table; those described as absent may be. Gives the order of the table."""
    listed = [(field, "absent" in meaning or "only if" in meaning) for field, *_, meaning in rows(f"fields: {name}")]
    known = [(field, optional) for names, optional in listed for field in re.findall(r"`(\w+)`", names)]
    for field, optional in known:
        require(field in record or optional, f"{name}: no field {field}")
    unknown = set(record) - {field for field, _ in known}
    require(not unknown, f"{name}: the table lacks {sorted(unknown)}")
    return [field for field, _ in known if field in record]
