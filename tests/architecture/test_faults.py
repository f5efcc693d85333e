"""Every fault that bugintake promises to survive is played by a test that carries its row."""

import re
from pathlib import Path

from tests.faults.scenarios import SCENARIOS
from tests.faults.table import FAULTS

CARRIED = re.compile(r"""mark\.fault\("([^"]+)"\)""")


def test_every_row_of_the_table_is_played_and_no_other():
    folder = Path(__file__).parents[1]
    carried = {row for path in folder.rglob("test_*.py") for row in CARRIED.findall(path.read_text(encoding="utf-8"))}
    told = {row.partition(",")[0] for row in SCENARIOS if row.startswith("F-")}

    assert carried | told == set(FAULTS)
