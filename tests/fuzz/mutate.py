"""Ways to damage a file at random: any bytes, text, JSON, and the contents of zip archives and Parquet tables."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Mutation = Callable[[bytes, np.random.Generator], bytes]

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_ODD_NUMBERS = (
    b"9" * 5000,
    b"-" + b"9" * 5000,
    b"1e400",
    b"1e308",
    b"-1",
    b"0",
    b"nan",
    b"inf",
    b"-inf",
    b"1e-320",
    b"18446744073709551616",
    b"9223372036854775807",
    b"0x10",
    b"1_000",
    b"1,5",
    "\u0661\u0662".encode(),
    b"",
)
_ODD_TEXT = (
    b"\x00",
    b"\x1b[31m",
    b"\x1b]0;title\x07",
    b"\r",
    b"\n",
    b'"',
    b"'",
    b"\t",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\\",
    b"{",
    b"[",
    b"]",
    "\u202e".encode(),
    "\ufeff".encode(),
    "\u2028".encode(),
    b"=cmd()",
    b"../../x",
    b"%s",
    b"NA",
    b"true",
    b"[bold]",
    b"[" * 3000,
    b" " * 50_000 + b"x",
)
_ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**70,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\u0000",
    "../../x",
    [],
    [None],
    [[]],
    {},
    {"x": 1},
    "9" * 5000,
    int("9" * 4000),
)


def _span(size: int, rng: np.random.Generator, most: int = 64) -> tuple[int, int]:
    first = int(rng.integers(0, size + 1))
    return first, min(size, first + int(rng.integers(1, most)))


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(0, max(1, len(data))))]


def flip_bits(data: bytes, rng: np.random.Generator) -> bytes:
    out = bytearray(data)
    # Headers are at the beginning, and the tables of zip and Parquet at the end.
    part = rng.choice(["all", "head", "tail"])
    low, high = {
        "all": (0, len(out)),
        "head": (0, min(128, len(out))),
        "tail": (max(0, len(out) - 512), len(out)),
    }[part]
    for position in rng.integers(low, high, size=int(rng.integers(1, 9))) if high > low else ():
        out[position] ^= 1 << int(rng.integers(0, 8))
    return bytes(out)


def set_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    first, last = _span(len(data), rng, 9)
    value = [b"\x00", b"\xff", b"\x7f", bytes([int(rng.integers(0, 256))])][int(rng.integers(0, 4))]
    return data[:first] + value * (last - first) + data[last:]


def drop(data: bytes, rng: np.random.Generator) -> bytes:
    first, last = _span(len(data), rng)
    return data[:first] + data[last:]


def repeat(data: bytes, rng: np.random.Generator) -> bytes:
    first, last = _span(len(data), rng, 400)
    return data[:first] + data[first:last] * int(rng.integers(2, 30)) + data[last:]


def swap(data: bytes, rng: np.random.Generator) -> bytes:
    (a, b), (c, d) = sorted(_span(len(data), rng) for _ in range(2))
    if b > c:
        return data[c:] + data[:c]
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def insert_nuls(data: bytes, rng: np.random.Generator) -> bytes:
    first, _ = _span(len(data), rng)
    return data[:first] + b"\0" * int(rng.choice([1, 2, 3, 512, 4096])) + data[first:]


def empty(data: bytes, rng: np.random.Generator) -> bytes:
    return [b"", b"\n", b"\0" * 100, b" ", data[:1], b"\xff\xfe", b"\xef\xbb\xbf"][int(rng.integers(0, 7))]


def garbage(data: bytes, rng: np.random.Generator) -> bytes:
    noise = rng.bytes(int(rng.integers(1, 600)))
    return noise if rng.random() < 0.3 else data[: int(rng.integers(0, 64))] + noise


def odd_number(data: bytes, rng: np.random.Generator) -> bytes:
    numbers = list(_NUMBER.finditer(data[: 1 << 16]))
    if not numbers:
        return data + _ODD_NUMBERS[0]
    one = numbers[int(rng.integers(0, len(numbers)))]
    return data[: one.start()] + _ODD_NUMBERS[int(rng.integers(0, len(_ODD_NUMBERS)))] + data[one.end() :]


def odd_text(data: bytes, rng: np.random.Generator) -> bytes:
    first, last = _span(len(data), rng, 4)
    return (
        data[:first]
        + _ODD_TEXT[int(rng.integers(0, len(_ODD_TEXT)))]
        + data[last if rng.random() < 0.5 else first :]
    )


def encoding(data: bytes, rng: np.random.Generator) -> bytes:
    text = data.decode("utf-8", "replace") + ("\u00e9\uac00" if rng.random() < 0.5 else "")
    name = str(
        rng.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp949", "latin-1", "utf-7", "utf-8-sig"])
    )
    out = text.encode(name, "replace")
    return out[: -int(rng.integers(1, 4))] if rng.random() < 0.5 else out


def fields(data: bytes, rng: np.random.Generator) -> bytes:
    """Swap, repeat, move or lose a cell of a line, or a whole line."""
    mark = max((b",", b"\t", b";", b" = "), key=data[:4096].count)
    lines = data.split(b"\n")
    row = int(rng.integers(0, min(len(lines), 40)))
    units = lines if rng.random() < 0.3 else lines[row].split(mark)
    if len(units) > 1:
        a, b = (int(i) for i in rng.integers(0, len(units), 2))
        kind = int(rng.integers(0, 4))
        if kind == 0:
            units[a], units[b] = units[b], units[a]
        elif kind == 1:
            units.insert(a, units[b])
        elif kind == 2:
            del units[a]
        else:
            units[a] = units[b]
    if units is not lines:
        lines[row] = mark.join(units)
    return b"\n".join(lines)


def json_value(data: bytes, rng: np.random.Generator) -> bytes:
    """Change or remove a value in a JSON file, or in one of its lines."""
    lines = data.split(b"\n") if data.count(b"\n{") else [data]
    row = int(rng.integers(0, len(lines)))
    try:
        value = json.loads(lines[row])
    except (ValueError, RecursionError):  # another mutation came first
        return odd_text(data, rng)
    lines[row] = _dumped(_changed(value, rng))
    return b"\n".join(lines)


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _changed(value: Any, rng: np.random.Generator) -> Any:
    inside = value if isinstance(value, dict | list) else ()
    if not inside or rng.random() < 0.15:
        return _ODD_VALUES[int(rng.integers(0, len(_ODD_VALUES)))]
    keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
    key = keys[int(rng.integers(0, len(keys)))]
    way = rng.random()
    if way < 0.2:
        del inside[key]
    elif way < 0.3 and isinstance(inside, list):
        inside.append(inside[key])
    elif way < 0.3:
        inside[key] = inside[keys[int(rng.integers(0, len(keys)))]]
    else:
        inside[key] = _changed(inside[key], rng)
    return inside


def zip_member(data: bytes, rng: np.random.Generator) -> bytes:
    """Damage one file in an archive, and correct its checksum."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as before:
            parts = {name: before.read(name) for name in before.namelist()}
    except Exception:
        return cut(data, rng)
    if not parts:
        return cut(data, rng)
    name = list(parts)[int(rng.integers(0, len(parts)))]
    if rng.random() < 0.1:
        del parts[name]
    elif name.endswith(".json") and rng.random() < 0.9:
        parts[name] = json_value(parts[name], rng)
    else:
        parts[name] = BYTES[int(rng.integers(0, len(BYTES)))](parts[name], rng)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name, part in parts.items():
            after.writestr(name, part)
    return out.getvalue()


def _other_parquet(data: bytes, rng: np.random.Generator) -> bytes:
    """Lose or rename a column, change its type, or lose or repeat rows."""
    table = pd.read_parquet(io.BytesIO(data))
    name = table.columns[int(rng.integers(0, table.shape[1]))]
    kind = int(rng.integers(0, 7))
    if kind == 0:
        table = table.drop(columns=name)
    elif kind == 1:
        table = table.rename(columns={name: "x"})
    elif kind == 2:
        table[name] = "x"
    elif kind == 3:
        table[name] = None
    elif kind == 4:
        table = table.iloc[: int(rng.integers(0, len(table) + 1))]
    elif kind == 5:
        table = pd.concat([table, table.iloc[:3]])
    else:
        table[name] = float(rng.choice([np.nan, 1e300, -5.0, np.inf]))
    out = io.BytesIO()
    table.to_parquet(out)
    return out.getvalue()


def parquet_column(data: bytes, rng: np.random.Generator) -> bytes:
    """Do the same to a table that can be read and written; otherwise return a part of the bytes."""
    try:
        return _other_parquet(data, rng)
    except Exception:
        return cut(data, rng)


BYTES: tuple[Mutation, ...] = (cut, flip_bits, set_bytes, drop, repeat, swap, insert_nuls, empty, garbage)
TEXT: tuple[Mutation, ...] = (*BYTES, odd_number, odd_text, encoding, fields, fields)
JSON: tuple[Mutation, ...] = (*TEXT, *[json_value] * 6)
ARCHIVE: tuple[Mutation, ...] = (*BYTES, *[zip_member] * 6)
PARQUET: tuple[Mutation, ...] = (*BYTES, *[parquet_column] * 3)
_BY_SUFFIX = {
    ".json": JSON,
    ".jsonl": JSON,
    ".csv": TEXT,
    ".tsv": TEXT,
    ".txt": TEXT,
    ".toml": TEXT,
    ".arff": TEXT,
    ".xml": TEXT,
    ".npz": ARCHIVE,
    ".parquet": PARQUET,
}


def mutated(data: bytes, suffix: str, rng: np.random.Generator) -> tuple[str, bytes]:
    """Damage the bytes once, in one of four cases more often. Return the names of the ways and the bytes."""
    ways = _BY_SUFFIX.get(suffix, BYTES)
    names = []
    for _ in range(1 if rng.random() < 0.75 else int(rng.integers(2, 4))):
        way = ways[int(rng.integers(0, len(ways)))]
        names.append(way.__name__)
        data = way(data, rng)[: 1 << 20]
    return "+".join(names), data
