"""What customers of the sample company sent along: a picture of an invoice, and a bank statement."""

import io

STATEMENT = (
    b"Buchungstag;Empf\xc3\xa4nger;Verwendungszweck;Betrag\n"
    b"01.09.;Weinhof Seidl;Rechnung 2041;1.234,50\n"
    b"02.09.;Caf\xc3\xa9 Morgenrot;Rechnung 2042;89,00\n"
)
SIZE, MARGIN, ROW = (720, 460), 40, 44
PAPER, INK, LINE, MISSING = "#ffffff", "#1b1a17", "#d8d4cc", "#b42318"
ROWS = (("Item", "Price"), ("Garden chair, oak", "320.00"), ("Delivery", "25.00"), ("", ""), ("Total", "431.25"))


def invoice() -> bytes:
    """Draw an invoice on which the line above the total is missing."""
    from PIL import Image, ImageDraw  # Pillow is loaded with the first picture

    picture = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(picture)
    pen.text((MARGIN, MARGIN), "Invoice 2041", INK, font_size=28)
    for number, (item, price) in enumerate(ROWS):
        top = 120 + number * ROW
        pen.text((MARGIN, top), item, INK, font_size=20)
        pen.text((SIZE[0] - MARGIN, top), price, INK, font_size=20, anchor="ra")
        pen.line((MARGIN, top + 32, SIZE[0] - MARGIN, top + 32), LINE)
    gap = 120 + 3 * ROW
    pen.rectangle((MARGIN - 8, gap - 4, SIZE[0] - MARGIN + 8, gap + 28), outline=MISSING, width=3)
    target = io.BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()
