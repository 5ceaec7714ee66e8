"""Columns of text as a Parquet file: https://parquet.apache.org/docs/file-format.

The least of the format: one row group, one page a column, plain text that may be missing, nothing
compressed. Text stays text, of which readers of CSV and JSON make numbers, dates and gaps. The
same columns give the same bytes whatever libraries are installed, and every reader takes them.
"""

import struct
from collections.abc import Mapping, Sequence
from itertools import groupby

MAGIC = b"PAR1"
TEXT, UTF8, OPTIONAL = 6, 0, 1  # byte arrays; what they mean; a cell may be missing
PLAIN, RLE, UNCOMPRESSED = 0, 3, 0
I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12  # types of Thrift's compact protocol
STOP = b"\0"
Column = Sequence[str | None]  # None: missing
Field = tuple[int, int, bytes]  # number, type, what it holds


def written(columns: Mapping[str, Column]) -> bytes:
    """Return the bytes of a file with these columns, which are of one length, above 0."""
    (rows,) = {len(column) for column in columns.values()}
    body, chunks = MAGIC, []
    for name, column in columns.items():
        page = _page(column)
        chunks.append(_chunk(name, rows, len(body), len(page)))
        body += page
    fields = [
        (1, I32, _number(1)),  # version of the format
        (2, LIST, _list(STRUCT, _schema(columns))),
        (3, I64, _number(rows)),
        (4, LIST, _list(STRUCT, [_group(chunks, rows, len(body) - len(MAGIC))])),
    ]
    footer = _struct(fields)
    return body + footer + struct.pack("<I", len(footer)) + MAGIC


def _schema(names: Mapping[str, Column]) -> list[bytes]:
    root = _struct([(4, BINARY, _text("schema")), (5, I32, _number(len(names)))])
    kinds = [(1, I32, _number(TEXT)), (3, I32, _number(OPTIONAL))]
    return [
        root,
        *(_struct([*kinds, (4, BINARY, _text(n)), (6, I32, _number(UTF8))]) for n in names),
    ]


def _page(column: Column) -> bytes:
    """Return a column's header and cells: first which are there, run by run, then their text."""
    levels = b"".join(
        _varint(len(list(run)) << 1) + bytes([there])
        for there, run in groupby(cell is not None for cell in column)
    )
    texts = [cell.encode() for cell in column if cell is not None]
    cells = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    content = struct.pack("<I", len(levels)) + levels + cells
    data = [(1, I32, _number(len(column))), (2, I32, _number(PLAIN))]
    data += [(3, I32, _number(RLE)), (4, I32, _number(RLE))]
    size = _number(len(content))
    header = [(1, I32, _number(0)), (2, I32, size), (3, I32, size), (5, STRUCT, _struct(data))]
    return _struct(header) + content


def _chunk(name: str, rows: int, start: int, size: int) -> bytes:
    """Return where a column's page lies in the file."""
    about = [
        (1, I32, _number(TEXT)),
        (2, LIST, _list(I32, [_number(PLAIN), _number(RLE)])),
        (3, LIST, _list(BINARY, [_text(name)])),
        (4, I32, _number(UNCOMPRESSED)),
        (5, I64, _number(rows)),
        (6, I64, _number(size)),
        (7, I64, _number(size)),
        (9, I64, _number(start)),
    ]
    return _struct([(2, I64, _number(start)), (3, STRUCT, _struct(about))])


def _group(chunks: Sequence[bytes], rows: int, size: int) -> bytes:
    return _struct(
        [(1, LIST, _list(STRUCT, chunks)), (2, I64, _number(size)), (3, I64, _number(rows))]
    )


def _struct(fields: Sequence[Field]) -> bytes:
    """Return a Thrift struct, of which each field says how far its number is from the last."""
    before, content = 0, b""
    for number, kind, value in fields:
        content += bytes([(number - before) << 4 | kind]) + value
        before = number
    return content + STOP


def _list(kind: int, values: Sequence[bytes]) -> bytes:
    short = len(values) < 15
    head = bytes([len(values) << 4 | kind]) if short else bytes([0xF0 | kind])
    return head + (b"" if short else _varint(len(values))) + b"".join(values)


def _text(text: str) -> bytes:
    return _varint(len(text.encode())) + text.encode()


def _number(value: int) -> bytes:
    """Return a whole number from 0 on as Thrift's zigzag has it."""
    return _varint(value << 1)


def _varint(value: int) -> bytes:
    """Return a whole number from 0 on in groups of seven bits, the lowest first."""
    content = b""
    while value > 0x7F:
        content += bytes([value & 0x7F | 0x80])
        value >>= 7
    return content + bytes([value])
