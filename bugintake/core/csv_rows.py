"""Lines of cells that people paste or send as a file."""

import csv

from bugintake.core.errors import Invalid
from bugintake.core.forms import clean_line

DELIMITERS = "\t;,"


def rows_of(text: str, most: int) -> list[tuple[int, list[str]]]:
    """Read the lines of a text that hold something, each with its number; tabs, semicolons or commas part the cells.

    Raises Invalid for a text without a line, with more than `most`, or that is no CSV.
    """
    lines = text.lstrip("\ufeff").splitlines()
    filled = next((line for line in lines if line.strip()), "")
    delimiter = next((each for each in DELIMITERS if each in filled), ",")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        read = [(reader.line_num, [clean_line(cell) for cell in row]) for row in reader]
    except csv.Error:
        raise Invalid("That cannot be read as CSV.", "text") from None
    rows = [(number, cells) for number, cells in read if any(cells)]
    if not rows:
        raise Invalid("Paste at least one line.", "text")
    if len(rows) > most:
        raise Invalid(f"Bring in at most {most:,} lines at once.", "text")
    return rows


def decoded(data: bytes) -> str:
    """Read a file as text. Raises Invalid where it is not in UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("The file is not in UTF-8. Save it as “CSV UTF-8”.", "text") from error
