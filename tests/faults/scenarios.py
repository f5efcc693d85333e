"""The fault stories. Each fails with an AssertionError where a promise is broken; the mutants break one each."""

from collections.abc import Callable

from tests.faults import duty_weeks, kills, losses, outage, scanners
from tests.faults.launching import Rig

SCENARIOS: dict[str, Callable[[Rig], None]] = {
    "F-W1": kills.killed_after_claim,
    "F-W2": kills.killed_after_rcpt,
    "F-W3": kills.killed_before_data,
    "F-W4": kills.killed_after_250,
    "F-W4, every kind": kills.killed_among_every_kind,
    "F-W5": kills.killed_after_commit,
    "F-W5, nobody noted": kills.killed_before_noting,
    "F-W6": kills.killed_in_recovery,
    "F-W8": kills.stands_still_beyond_its_lease,
    "F-W8, four workers": kills.four_workers_at_once,
    "F-C2": duty_weeks.clocks_change,
    "F-C2, a week changes hands": duty_weeks.a_week_changes_hands,
    "F-S3": losses.drops_after_the_dot,
    "F-S4": outage.server_away,
    "F-WAL": losses.power_fails,
    "D5": losses.eight_count_at_once,
    "A-27": scanners.open_every_link,
}
