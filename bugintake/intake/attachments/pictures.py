"""Pictures: written anew from their points alone, so that nothing else that was in the file is kept.

Where somebody was (EXIF), what a program noted, a second file behind the first: none of it survives.
"""

import io
import threading

from PIL import Image, ImageOps, ImageSequence

from bugintake.core.errors import Invalid

MAX_POINTS = 24_000_000
THUMBNAIL = (320, 240)
SHOWS = ("transparency", "duration", "loop")  # all that is taken over besides the points

# Ours is stricter and comes first: Pillow only warns of pictures up to 179 million points.
Image.MAX_IMAGE_PIXELS = None
_one_at_a_time = threading.Lock()  # four at once would need a gigabyte


def written_anew(content: bytes, kind: str) -> tuple[bytes, bytes]:
    """Return a picture without anything hidden in it, and a small copy of its first frame.

    The number of points is read from the header, all frames of a film counted, before anything is unpacked. Raises
    Invalid for too many, and for a file that is no whole picture.
    """
    with _one_at_a_time:
        try:
            _refuse_bomb(_canvas(content, kind))
            with Image.open(io.BytesIO(content), formats=[kind]) as picture:
                _refuse_bomb(picture.size)
                _refuse_bomb((picture.width, picture.height * getattr(picture, "n_frames", 1)))
                frames = [_bare(frame) for frame in ImageSequence.Iterator(picture)]
        except Invalid:
            raise
        except Exception as error:  # the decoders raise anything at all about a broken file
            raise Invalid("is no whole picture. Open it, save it again, and choose that.") from error
        return _encoded(frames, kind), _thumbnail(frames[0])


def _refuse_bomb(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_POINTS:
        raise Invalid(
            f"unpacks to {size[0]:,} × {size[1]:,} points; up to {MAX_POINTS // 1_000_000} million are taken. "
            "Cut out the part that shows it."
        )


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
