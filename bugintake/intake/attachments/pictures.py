"""Pictures: written anew from their points alone, so that nothing else that was in the file is kept.

Where somebody was (EXIF), what a program noted, a second file behind the first: none of it survives.
"""

import io
import threading
import warnings
from itertools import islice

from PIL import Image, ImageOps, ImageSequence

from bugintake.core.errors import Invalid

MAX_POINTS = 24_000_000
THUMBNAIL = (320, 240)
SHOWS = ("transparency", "duration", "loop")  # all that is taken over besides the points

Image.MAX_IMAGE_PIXELS = MAX_POINTS // 2  # Pillow warns above it and refuses above twice as many, which is ours
_one_at_a_time = threading.Lock()  # four at once would need a gigabyte


def written_anew(content: bytes, kind: str) -> tuple[bytes, bytes]:
    """Return a picture without anything hidden in it, and a small copy of its first frame.

    The number of points, all frames of a film counted, is read before a frame is unpacked. Raises Invalid for too many,
    and for a file that is no whole picture.
    """
    with _one_at_a_time, warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
        try:
            _refuse_bomb(_canvas(content, kind))
            with Image.open(io.BytesIO(content), formats=[kind]) as picture:
                frames = _frames(picture, kind)
            return _encoded(frames, kind), _thumbnail(frames[0])
        except Image.DecompressionBombError as error:
            millions = MAX_POINTS // 1_000_000
            raise Invalid(
                f"unpacks to more points than are taken, {millions} million. Cut out the part that shows it."
            ) from error
        except Exception as error:  # the decoders and encoders raise anything at all about a broken file
            raise Invalid("is no whole picture. Open it, save it again, and choose that.") from error


def _frames(picture: Image.Image, kind: str) -> list[Image.Image]:
    # Behind the photo of a phone lie others (MPO), of which JPEG knows nothing.
    count = 1 if kind == "JPEG" else getattr(picture, "n_frames", 1)
    frames = []
    for frame in islice(ImageSequence.Iterator(picture), count):
        _refuse_bomb((frame.width, frame.height * count))  # a GIF may grow from frame to frame
        frames.append(_bare(frame))
    return frames


def _refuse_bomb(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_POINTS:
        raise Image.DecompressionBombError


def _canvas(content: bytes, kind: str) -> tuple[int, int]:
    """Read how large a WebP says it is, because its decoder takes the memory as soon as it is opened."""
    if kind != "WEBP":
        return 0, 0
    name, rest = content[12:16], content[20:]
    if name == b"VP8X":
        return int.from_bytes(rest[4:7], "little") + 1, int.from_bytes(rest[7:10], "little") + 1
    if name == b"VP8L":
        bits = int.from_bytes(rest[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(rest[6:8], "little") & 0x3FFF, int.from_bytes(rest[8:10], "little") & 0x3FFF


def _bare(frame: Image.Image) -> Image.Image:
    bare = ImageOps.exif_transpose(frame)
    bare.info = {name: value for name, value in bare.info.items() if name in SHOWS}
    return bare


def _encoded(frames: list[Image.Image], kind: str) -> bytes:
    target = io.BytesIO()
    first, *more = frames
    film = {}
    if more:
        durations = [frame.info.get("duration", 100) for frame in frames]
        film = {"save_all": True, "append_images": more, "duration": durations, "loop": first.info.get("loop", 0)}
    first.save(target, kind, quality=90, **film)
    return target.getvalue()


def _thumbnail(frame: Image.Image) -> bytes:
    small = frame.convert("RGBA" if frame.has_transparency_data else "RGB")
    small.thumbnail(THUMBNAIL)
    target = io.BytesIO()
    small.save(target, "WEBP", quality=80)
    return target.getvalue()
