"""What may come in as a file: told from its content, made harmless, refused in words (A-35, F-A2)."""

import io
import struct
import zlib

import pytest
from PIL import Image

from bugintake.core.errors import Invalid
from bugintake.intake.attachments.contents import MAX_BYTES, read
from bugintake.intake.attachments.pictures import MAX_POINTS
from tests.factories import make_picture

NOT_TAKEN = "is not one of these: a picture (PNG, JPEG, WebP, GIF), a text or log, a PDF."
MARKUP = "is a web page or a drawing (HTML, SVG, XML), which can carry code."
DAMAGED = "is no whole picture. Open it, save it again, and choose that."
BOMB = "unpacks to more points than are taken, 24 million"
PLACE = {0x8825: {1: "N", 2: (45.0, 48.0, 0.0)}, 0x010F: "CANARY phone", 0x0112: 6}


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(side: int) -> bytes:
    """A few kilobytes that unpack to side² points."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(side // 8 + 1)) for _ in range(side)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def webp_bomb() -> bytes:
    canvas = b"\x10\0\0\0" + (16382).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif(side: int, *frames: int) -> bytes:
    """Square frames on a square screen, each to be wiped away (disposal 2) before the next."""
    wiped = b"".join(
        b"!\xf9\x04\x08\0\0\0\0," + struct.pack("<4HB", 0, 0, frame, frame, 0) + b"\x02\x02\x44\x01\0"
        for frame in frames
    )
    return b"GIF89a" + struct.pack("<2H3B", side, side, 0, 0, 0) + wiped + b";"


def film(kind: str, frames: int, size: tuple[int, int] = (20, 20)) -> bytes:
    pictures = [Image.new("RGB", size, (n * 20 % 256, 0, 0)) for n in range(frames)]
    target = io.BytesIO()
    pictures[0].save(target, kind, save_all=True, append_images=pictures[1:], duration=70, loop=3)
    return target.getvalue()


@pytest.mark.parametrize("side", [12_000, 20_000])
def test_f_a2_a_bomb_is_refused_by_its_header(side):
    bomb = png_bomb(side)

    with pytest.raises(Invalid) as refusal:
        read("bomb.png", bomb)

    assert len(bomb) < 60_000
    assert refusal.value.sentence == (
        "bomb.png unpacks to more points than are taken, 24 million. Cut out the part that shows it."
    )


def test_f_a2_a_bomb_is_not_unpacked(monkeypatch):
    unpacked = []
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", unpacked.append)

    for bomb in (png_bomb(12_000), film("GIF", 2, (4000, 4000)), webp_bomb()):
        with pytest.raises(Invalid, match=BOMB):
            read("bomb", bomb)

    assert unpacked == []


@pytest.mark.parametrize(
    "bomb",
    [gif(65_535, 65_535), gif(1, 65_535), gif(1, 1, 65_535), gif(1, 1, *[4000] * 9)],
    ids=["wiped", "first frame", "second frame", "all frames"],
)
def test_f_a2_a_film_that_grows_takes_no_memory_first(monkeypatch, bomb):
    fill, taken = Image.core.fill, []

    def measured(mode, size, *colour):
        taken.append(size)
        return fill(mode, min(size, (1, 1)), *colour)

    monkeypatch.setattr(Image.core, "fill", measured)

    with pytest.raises(Invalid, match=BOMB):
        read("bomb.gif", bomb)

    assert all(width * height <= MAX_POINTS for width, height in taken)


def test_a_photo_with_others_behind_it_is_the_first_of_them():
    target = io.BytesIO()
    first, behind = Image.new("RGB", (9, 7), "red"), Image.new("RGB", (9, 7), "blue")
    first.save(target, "MPO", save_all=True, append_images=[behind])

    kept = read("phone.jpg", target.getvalue())

    with Image.open(io.BytesIO(kept.data)) as picture:
        assert (picture.format, picture.size, picture.getpixel((4, 3))) == ("JPEG", (9, 7), (254, 0, 0))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_35_a_picture_is_written_anew_without_what_was_hidden_in_it(kind):
    hidden = {"exif": Image.Exif(), "comment": b"CANARY"} if kind != "GIF" else {"comment": b"CANARY"}
    for tag, value in PLACE.items() if kind != "GIF" else ():
        hidden["exif"][tag] = value
    came = make_picture(kind, **hidden) + b"<script>CANARY behind the end</script>"

    kept = read("photo", came)

    assert b"CANARY" in came
    with Image.open(io.BytesIO(kept.data)) as picture:
        assert (picture.format, dict(picture.getexif())) == (kind, {})
        assert picture.size == ((40, 30) if kind == "GIF" else (30, 40))  # turned upright as its EXIF said
    assert b"CANARY" not in kept.data + kept.thumbnail
    assert b"script" not in kept.data + kept.thumbnail
    assert kept.media_type == f"image/{kind.lower()}"
    with Image.open(io.BytesIO(kept.thumbnail)) as small:
        assert small.format == "WEBP"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_a_film_keeps_moving(kind):
    kept = read("film", film(kind, 5))

    with Image.open(io.BytesIO(kept.data)) as picture:
        assert picture.n_frames == 5
        picture.seek(4)
        picture.load()
        assert picture.info["duration"] == 70


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_pictures_of_every_kind_of_colour_are_kept(mode):
    target = io.BytesIO()
    Image.new(mode, (9, 7)).save(target, "JPEG" if mode == "CMYK" else "PNG")

    with Image.open(io.BytesIO(read("odd", target.getvalue()).data)) as picture:
        assert picture.size == (9, 7)


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>", f"a.png {DAMAGED}"),
        ("a.gif", b"GIF89a/*<svg onload=alert(1)>*/=1", f"a.gif {DAMAGED}"),
        ("cut.png", make_picture()[:-40], f"cut.png {DAMAGED}"),
        ("d.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", f"d.svg {MARKUP}"),
        ("d.png", b"\xef\xbb\xbf \n<!DOCTYPE html><p>hello", f"d.png {MARKUP}"),
        ("d.xml", b"<?xml version='1.0'?><a/>", f"d.xml {MARKUP}"),
        ("d.txt", "<script>".encode("utf-16"), f"d.txt {MARKUP}"),
        ("z.zip", b"PK\x03\x04" + bytes(40), f"z.zip {NOT_TAKEN}"),
        ("tool.exe", b"MZ\x90\x00\x03\x00", f"tool.exe {NOT_TAKEN}"),
        ("film.mp4", b"\0\0\0\x18ftypmp42", f"film.mp4 {NOT_TAKEN}"),
        ("nothing.log", b"", "nothing.log is empty."),
        ("big.log", b"x" * (MAX_BYTES + 1), "big.log is larger than 10 MB."),
        ("", b"", "The file is empty."),
    ],
)
def test_a_35_anything_else_is_refused_in_words(name, data, sentence):
    with pytest.raises(Invalid) as refusal:
        read(name, data)

    assert (refusal.value.sentence, refusal.value.field) == (sentence, "files")


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (b"10:42 ERROR <b>no</b> VAT line\n", b"10:42 ERROR <b>no</b> VAT line\n"),
        (b"<13>Nov 28 10:42 host app: syslog", b"<13>Nov 28 10:42 host app: syslog"),
        ("\ufeffžćš".encode(), "žćš".encode()),
        ("Zürich".encode("cp1252"), "Zürich".encode()),
        ("from PowerShell".encode("utf-16"), b"from PowerShell"),
        (b"\x1b[31mred\x1b[0m\ttab", b"\x1b[31mred\x1b[0m\ttab"),
    ],
)
def test_a_text_is_kept_as_utf_8(data, kept):
    found = read("app.log", data)

    assert (found.name, found.media_type, found.data, found.thumbnail) == ("app.log", "text/plain", kept, None)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("invoice.PDF", "invoice.PDF"),
        ("invoice\u202efdp.exe", "invoicefdp.exe.pdf"),
        ("a.png.html", "a.png.html.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\lea\\Rechnung 7.pdf", "Rechnung 7.pdf"),
        (".htaccess", "htaccess.pdf"),
        ("..", "file.pdf"),
        ("", "file.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("a\r\nSet-Cookie: b.pdf", "a Set-Cookie: b.pdf"),
        ('"; filename=evil.exe', '"; filename=evil.exe.pdf'),
        ("\u200b .pdf", "pdf.pdf"),
        ("račun 7.pdf", "račun 7.pdf"),
    ],
)
def test_a_35_a_name_is_one_visible_line_with_a_true_ending(given, kept):
    assert read(given, b"%PDF-1.7\n").name == kept
