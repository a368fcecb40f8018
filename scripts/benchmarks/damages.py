"""Ways to damage a file, from a bit to its whole beginning; two of them leave every picture whole."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

# Names of programs in the metadata of the files that are made here.
_PROGRAMS = re.compile(rb"Lav[cf]\d+|FFmpeg|x26[45]")


def flipped(data: bytearray, draw: random.Random, _: bytes) -> bytes:
    """Turn over some bits."""
    for _time in range(draw.choice([1, 8, 64, 512])):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(data)


def cut(data: bytearray, draw: random.Random, _: bytes) -> bytes:
    """Cut off the end."""
    return bytes(data[: draw.randrange(len(data))])


def beheaded(data: bytearray, draw: random.Random, _: bytes) -> bytes:
    """Cut off the beginning."""
    return bytes(data[draw.randrange(1, len(data)) :])


def blanked(data: bytearray, draw: random.Random, _: bytes) -> bytes:
    """Overwrite a part with zeros or noise."""
    begin, length = draw.randrange(len(data)), draw.choice([64, 1024, 16384])
    length = min(length, len(data) - begin)
    data[begin : begin + length] = bytes(length) if draw.random() < 0.5 else draw.randbytes(length)
    return bytes(data)


def spliced(data: bytearray, draw: random.Random, other: bytes) -> bytes:
    """Put the header of another file before the rest."""
    length = draw.choice([16, 256, 4096])
    return other[:length] + bytes(data[length:])


def shuffled(data: bytearray, draw: random.Random, _: bytes) -> bytes:
    """Exchange two parts."""
    length = max(1, min(4096, len(data) // 4))
    one, two = sorted(draw.randrange(len(data) - length) for _ in "ab")
    data[one : one + length], data[two : two + length] = data[two : two + length], data[one : one + length]
    return bytes(data)


def swollen(data: bytearray, draw: random.Random, _: bytes) -> bytes:
    """Put noise in between."""
    at = draw.randrange(len(data))
    return bytes(data[:at]) + draw.randbytes(draw.choice([1, 100, 10000])) + bytes(data[at:])


def appended(data: bytearray, draw: random.Random, other: bytes) -> bytes:
    """Put something behind the end: zeros, noise, or the beginning of another file."""
    length = draw.choice([1, 100, 10000])
    return bytes(data) + draw.choice([bytes(length), draw.randbytes(length), other[:length]])


def renamed(data: bytearray, draw: random.Random, _: bytes) -> bytes:
    """Overwrite the names of the programs that wrote the file, and nothing else."""
    for found in list(_PROGRAMS.finditer(data)):
        data[found.start() : found.end()] = draw.randbytes(len(found[0]))
    return bytes(data)


Damage = Callable[[bytearray, random.Random, bytes], bytes]
# These leave every picture whole.
HARMLESS: tuple[Damage, ...] = (appended, renamed)
DAMAGES: tuple[Damage, ...] = (flipped, cut, beheaded, blanked, spliced, shuffled, swollen, *HARMLESS)


def damaged_files(sources: list[Path], folder: Path, count: int, seed: int) -> Iterator[Path]:
    """Write damaged files one after the other."""
    draw = random.Random(seed)  # noqa: S311  damage, not a secret
    for number in range(count):
        source, other = sources[number % len(sources)], draw.choice(sources)
        damage = DAMAGES[number // len(sources) % len(DAMAGES)]
        path = folder / f"{number:05d}_{damage.__name__}{source.suffix}"
        path.write_bytes(damage(bytearray(source.read_bytes()), draw, other.read_bytes()))
        yield path
