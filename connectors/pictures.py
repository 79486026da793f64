"""Pictures for pretended vendors: real PNG files, painted by code."""

import math
import struct
import zlib
from collections.abc import Callable
from functools import cache
from random import Random

Colour = tuple[int, int, int]
Paint = Callable[[int, int], Colour]
"""The colour of one pixel, by its column and row."""

WIDTH, HEIGHT = 360, 270
SIGNATURE_WIDTH, SIGNATURE_HEIGHT = 282, 120


def png(width: int, height: int, paint: Paint) -> bytes:
    rows = b"".join(
        b"\x00" + bytes(part for x in range(width) for part in paint(x, y)) for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in parts)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@cache
def parcel_at_a_door(seed: int, number: int = 0) -> bytes:
    """A cardboard box on a step before a door, which differs by `seed`; `number` counts pictures of one visit."""
    doors = ((38, 84, 74), (122, 46, 40), (44, 62, 102), (92, 84, 70))
    door = doors[seed % len(doors)]
    luck = Random(f"box:{seed}:{number}")
    box_left, box_width = luck.randint(70, 200), luck.randint(70, 96)
    box_top = 244 - luck.randint(46, 62)

    def paint(x: int, y: int) -> Colour:
        shade = 106 - (x + 2 * y) * 4 // 100
        if box_left <= x < box_left + box_width and box_top <= y < 244:
            return _box(x - box_left, y - box_top, box_width)
        if y >= 214:
            return _shaded((176, 172, 164), shade if y % 24 else shade - 25)
        if 120 <= x < 240 and y >= 24:
            panel = 132 <= x < 228 and (36 <= y < 110 or 124 <= y < 200)
            is_knob = (x - 226) ** 2 + (y - 120) ** 2 < 20
            return (214, 188, 112) if is_knob else _shaded(door, shade - (12 if panel else 0))
        if 112 <= x < 248 and y >= 16:
            return _shaded((236, 232, 224), shade)
        is_joint = y % 18 == 0 or (x + (y // 18 % 2) * 20) % 40 == 0
        return _shaded((206, 198, 190) if is_joint else (166, 104, 84), shade)

    return png(WIDTH, HEIGHT, paint)


def _box(x: int, y: int, width: int) -> Colour:
    if abs(x - width // 2) < 5:
        return (222, 196, 148)
    if 8 <= x < 30 and 16 <= y < 30:
        return (244, 242, 236)
    return (146, 104, 62) if y < 2 or x < 2 or x >= width - 2 else (186, 140, 90)


@cache
def signature(seed: str) -> bytes:
    """A line of ink on white, different by `seed`."""
    luck = Random(f"signature:{seed}")
    waves = [(luck.uniform(0.05, 0.25), luck.uniform(6, 18), luck.uniform(0, 6)) for _ in range(3)]
    heights = [
        60 + sum(size * math.sin(x * speed + start) for speed, size, start in waves)
        for x in range(SIGNATURE_WIDTH)
    ]

    def paint(x: int, y: int) -> Colour:
        low, high = sorted((heights[x], heights[min(x + 1, SIGNATURE_WIDTH - 1)]))
        is_ink = 20 <= x < SIGNATURE_WIDTH - 20 and low - 1.5 <= y <= high + 1.5
        return (28, 36, 66) if is_ink else (255, 255, 255)

    return png(SIGNATURE_WIDTH, SIGNATURE_HEIGHT, paint)


@cache
def snapshot(seed: str) -> bytes:
    """What somebody with a phone sends: a torn box on a floor."""
    luck = Random(f"snapshot:{seed}")
    tear = [luck.randint(-5, 5) for _ in range(HEIGHT)]

    def paint(x: int, y: int) -> Colour:
        if 80 <= x < 280 and 60 <= y < 210:
            is_torn = abs(x - 180 + tear[y]) < 3 + (y - 60) // 12
            return (52, 40, 30) if is_torn else _box((x - 80) * 9 // 20, (y - 60) // 2, 90)
        return _shaded((132, 108, 84) if (x // 45 + y // 90) % 2 else (142, 116, 90), 100)

    return png(WIDTH, HEIGHT, paint)


def _shaded(colour: Colour, percent: int) -> Colour:
    red, green, blue = (max(0, min(255, part * percent // 100)) for part in colour)
    return red, green, blue
