"""Pictures in bundles: PNG, JPEG and WebP, by the ending of a part's name."""

from pathlib import PurePosixPath
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
"""uint8[H, W] or uint8[H, W, 3] in BGR or uint8[H, W, 4] in BGR and opacity."""

LOSSLESS = 101
"""Quality of a WebP picture that loses nothing."""

_PNG = b"\x89PNG\r\n\x1a\n"
_NO_FRAME_HEADER = {0xC4, 0xC8, 0xCC}


def packed(name: str, picture: Picture, quality: int = LOSSLESS) -> bytes:
    """`picture` as a file whose kind `name` says: .png (lossless), .webp (lossless above 100) or .jpg.

    WebP forgets the colours of pixels whose opacity is 0.

    Raises `ValueError` for other endings.
    """
    options = {
        ".png": [cv2.IMWRITE_PNG_COMPRESSION, 9],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, min(quality, 100)],
    }
    suffix = PurePosixPath(name).suffix
    if suffix not in options:
        raise ValueError(f"{name}: a picture ends in .png, .webp or .jpg")
    done, data = cv2.imencode(suffix, picture, options[suffix])
    if not done:
        raise ValueError(f"{name}: a picture of shape {picture.shape} cannot be written")
    return data.tobytes()


def size(data: bytes) -> tuple[int, int]:
    """Height and width that decoding would give, read from the file's header.

    Asked before decoding, because a small file can decode to anything. Raises `ValueError` for what is no picture.
    """
    if data.startswith(_PNG) and len(data) >= 33:
        return int.from_bytes(data[20:24]), int.from_bytes(data[16:20])
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
        return _webp_size(data)
    raise ValueError("not a PNG, JPEG or WebP picture")


def unpacked(data: bytes) -> Picture:
    """The decoded picture. Raises `ValueError` for damaged ones."""
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.dtype != np.uint8:
        raise ValueError("not a picture of 8 bits")
    return np.asarray(picture, np.uint8)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADER:
            return int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 7 : at + 9])
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    raise ValueError("a JPEG picture without a size")


def _webp_size(data: bytes) -> tuple[int, int]:
    """The three kinds of first chunk, RFC 9649."""
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28))
        return height, width
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return height, width
    raise ValueError("a WebP picture without a size")
