"""The resolver against facts that others wrote down: `data/rotation` of the shared folder, where there is one."""

import json
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from bugintake.duty.rotation import Override, Schedule, Shift, overlay, shift_at, shifts
from bugintake.duty.turns import Rule, TurnUnit

WEEKDAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
EVERY_DAY = frozenset(range(7))
UNITS = {unit.value: unit for unit in TurnUnit} | {"daily": TurnUnit.DAYS, "weekly": TurnUnit.WEEKS}
UNITS |= {"monthly": TurnUnit.MONTHS, "hourly": TurnUnit.HOURS}


@pytest.fixture
def vectors(shared):
    return lambda name: json.loads((shared / "data" / "rotation" / f"{name}.json").read_text())


def days_of(names):
    return EVERY_DAY if names in (None, [], "EVERY") else frozenset(WEEKDAYS[name] for name in names)


def numbered(names):
    return {name: number for number, name in enumerate(dict.fromkeys(names), start=1)}


def rule_by_day(case, groups):
    start_on = date.fromisoformat(case["start_date"])
    unit, length, rest = UNITS[case["frequency"]], case["interval"], 0
    counted_from = start_on
    if unit is TurnUnit.WEEKS:
        counted_from, length, rest = start_on - timedelta(days=start_on.weekday()), 1, case["interval"] - 1
    elif unit is TurnUnit.MONTHS:
        counted_from, length, rest = start_on.replace(day=1), 1, case["interval"] - 1
    elif not case["days"]:
        length, rest = 1, case["interval"] - 1
    return Rule(
        zone=ZoneInfo("UTC"),
        start_on=start_on,
        person_ids=tuple(groups[tuple(group)] for group in case["groups"]),
        days=days_of(case["days"]),
        turn_length=length,
        turn_unit=unit,
        rest=rest,
        counted_from=counted_from,
    )


def test_people_take_the_days_that_others_computed(vectors):
    for case in vectors("by_day")["vectors"]:
        groups = numbered(tuple(group) for group in case["groups"])
        names = {number: list(group) for group, number in groups.items()}
        start = datetime.fromisoformat(case["start_date"]).replace(tzinfo=UTC)
        found = shifts(Schedule([rule_by_day(case, groups)]), start, start + timedelta(days=case["window_days"]))

        assert {str(s.start.date()): names[s.person_id] for s in found} == case["expected"], case["id"]


def round_the_clock(given):
    start = datetime.fromisoformat(given["start_local"])
    return Schedule(
        [
            Rule(
                zone=ZoneInfo(given["timezone"]),
                start_on=start.date(),
                person_ids=(1, 2, 3),
                handoff=start.time(),
                until=start.time(),
                days=EVERY_DAY,
                turn_length=given["shift_length"],
                turn_unit=UNITS[given["type"]],
            )
        ]
    )


def test_handoffs_fall_where_the_wall_clock_says(vectors):
    for case in vectors("handoffs")["handoff_lists"]:
        zone = ZoneInfo(case["rotation"]["timezone"])
        start = datetime.fromisoformat(case["walk_from_local"]).replace(tzinfo=zone)
        end = datetime.fromisoformat(case["walk_to_local"]).replace(tzinfo=zone)
        # The source walks from before the rotation starts, so ours starts one turn earlier.
        given = dict(case["rotation"])
        if given["type"] == "daily":
            given["start_local"] = (datetime.fromisoformat(given["start_local"]) - timedelta(days=7)).isoformat()
        found = shifts(round_the_clock(given), start, end)
        handoffs = sorted({at for shift in found for at in (shift.start, shift.end)})
        expected = [datetime.fromisoformat(at) for at in case["expected_handoffs"]]

        assert handoffs == expected, case["id"]


def test_shifts_end_on_the_same_wall_clock_time(vectors):
    for case in vectors("handoffs")["shift_end"]:
        zone = ZoneInfo(case["rotation"]["timezone"])
        at = datetime.fromisoformat(case["at_local"]).replace(tzinfo=zone)
        shift = shift_at(round_the_clock(case["rotation"]), at)

        assert (
            shift.end.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")
            == (case["expected_end_local"])
        )
        assert (shift.end - shift.start) == timedelta(hours=case["expected_duration_hours"])


def window_of(case):
    return Schedule(
        [
            Rule(
                zone=ZoneInfo(case["timezone"]),
                start_on=date(2017, 1, 2),
                person_ids=(1,),
                handoff=time.fromisoformat(case["from_local"]),
                until=time.fromisoformat(case["to_local"]),
                days=days_of(case["days"]),
                turn_unit=TurnUnit.WEEKS,
            )
        ]
    )


def test_duty_hours_begin_and_end_on_their_weekdays(vectors):
    for case in vectors("weekday_rules")["vectors"]:
        zone = ZoneInfo(case["timezone"])
        at = datetime.fromisoformat(case["at"]).replace(tzinfo=zone)
        schedule = window_of(case)
        if case["kind"] == "active":
            assert (shift_at(schedule, at) is not None) is case["expected"], case
            continue
        shift = shifts(schedule, at, at + timedelta(days=9))[0]
        edge = {"start": shift.start, "end": shift.end}[case["kind"]]

        assert edge.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes") == case["expected"], case


def test_overrides_lie_on_the_plan(vectors):
    for case in vectors("overrides")["schedules"]:
        rules = case["rules"]
        people = numbered(
            [rule["target"] for rule in rules] + [o["add"] for o in case.get("overrides", []) if "add" in o]
        )
        names = {number: name for name, number in people.items()}
        since, to = (datetime.fromisoformat(at) for at in case["window"])
        plan = [
            Rule(
                zone=ZoneInfo(case["timezone"]),
                start_on=date(2017, 12, 1),
                person_ids=(people[rule["target"]],),
                handoff=time.fromisoformat(rule["from_local"]),
                until=time.fromisoformat(rule["to_local"]),
                days=days_of(rule["days"]),
            )
            for rule in rules
        ]
        layers, beside = [], []
        for given in case.get("overrides", []):
            start, end = (datetime.fromisoformat(at) for at in given["span"])
            layer = Override(start, end, people.get(given.get("add")), people.get(given.get("remove")))
            (layers if "remove" in given else beside).append(layer)
        # Somebody added beside the others is a lane of their own: one lane never has two people at once.
        lanes = [Schedule(plan, layers), Schedule([], beside)]
        found = [shift for lane in lanes for shift in shifts(lane, since, to) if shift.person_id]
        shown = [
            [names[s.person_id], max(s.start, since), min(s.end, to), s.start < since or s.end > to] for s in found
        ]

        assert sorted(shown) == sorted(
            [name, datetime.fromisoformat(start), datetime.fromisoformat(end), cut]
            for name, start, end, cut in case["expected"]
        ), case["id"]


def test_overrides_replace_only_whom_they_name(vectors):
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    one = noon + timedelta(hours=1)
    for case in vectors("overrides")["override_mapping"]:
        people = numbered(case["on_duty"] + [o["add"] for o in case["overrides"] if "add" in o])
        names = {number: name for name, number in people.items()}
        layers = [Override(noon, one, people.get(o.get("add")), people.get(o.get("remove"))) for o in case["overrides"]]
        lanes = [[Shift(noon, one, people[name])] for name in case["on_duty"]]
        found = [
            shift
            for lane in lanes
            for layer in ([o for o in layers if o.instead_of_id == lane[0].person_id] or [None])
            for shift in (overlay(lane, [layer]) if layer else lane)
        ]
        found += overlay([], [layer for layer in layers if layer.instead_of_id is None])

        assert sorted(names[s.person_id] for s in found if s.person_id) == sorted(case["expected"]), case["id"]


def hours(number, day=1):
    return datetime(2024, 1, day, tzinfo=UTC) + timedelta(hours=number)


def hide(base, top):
    """Lay one lane over another: each of its shifts hides what is below."""
    return overlay(base, [Override(s.start, s.end, s.person_id) for s in top])


def joined(lane):
    whole = []
    for shift in sorted(lane, key=lambda s: s.start):
        if whole and whole[-1][0] == shift.person_id and whole[-1][2] >= shift.start:
            whole[-1][2] = max(whole[-1][2], shift.end)
        else:
            whole.append([shift.person_id, shift.start, shift.end])
    return whole


def test_higher_layers_hide_lower_ones_and_overrides_hide_all(vectors):
    for case in vectors("layers_swaps")["layers"]:
        people = numbered(name for name, *_ in case["layers"] + case["overrides"])
        names = {number: name for name, number in people.items()}

        def lane(entries, person, priority, people=people):
            return [
                Shift(hours(start), hours(end), people[person])
                for name, height, start, end in entries
                if (name, height) == (person, priority)
            ]

        heights = sorted({height for _, height, *_ in case["layers"]})
        tops = sorted(case["overrides"], key=lambda entry: entry[1])
        found = set()
        for person in people:
            shown = lane(case["layers"], person, heights[0])
            for height in heights[1:]:
                for other in people:
                    shown = hide(shown, lane(case["layers"], other, height))
            plan = Schedule([], [Override(hours(a), hours(b), people[name]) for name, _, a, b in tops])
            shown = hide(shown, shifts(plan, hours(0), hours(24)))
            found |= {tuple(entry) for entry in joined(shown)}
        gaps = [entry for entry in case["expected"] if entry[0] is None]

        assert sorted((names[p], s, e) for p, s, e in found) == sorted(
            (name, hours(start), hours(end)) for name, start, end in case["expected"] if name
        ), case["id"]
        assert not any(s < hours(b) and e > hours(a) for _, a, b in gaps for _, s, e in found)


def test_a_swap_inside_a_shift_splits_it_in_three(vectors):
    for case in vectors("layers_swaps")["swaps"]:
        _, start, end = case["shift"]
        swap = case["swap"]
        people = {swap["by"]: 1, swap["taken_by"]: 2}
        rule = Rule(ZoneInfo("UTC"), date(2024, 1, 1), (1,), time(start), time(end), EVERY_DAY)
        layer = Override(*(hours(at, day=2) for at in swap["span_day2"]), 2)
        found = shifts(Schedule([rule], [layer]), hours(0), hours(48))

        assert [(s.person_id, s.start, s.end) for s in found] == [
            (people[name], hours(a, day), hours(b, day)) for name, day, a, b in case["expected_taken"]
        ], case["id"]


def test_weekly_shifts_follow_each_other_at_the_same_local_time(vectors):
    for case in vectors("weekly")["vectors"]:
        zone = ZoneInfo(case["timezone"])
        now = datetime.fromisoformat(case["now_local"]).replace(tzinfo=zone)
        at = time.fromisoformat(case["shift"]["at"])
        monday = now.date() - timedelta(days=now.weekday(), weeks=1)
        rule = Rule(zone, monday, (1, 2), at, at, EVERY_DAY, 1, TurnUnit.WEEKS)
        found = shifts(Schedule([rule]), now, now + timedelta(days=case["lookahead_days"]))
        starts = [shift.start.astimezone(zone).replace(tzinfo=None) for shift in found]
        expected = case.get("expected_starts_local")

        assert all(start.weekday() == WEEKDAYS[case["shift"]["weekday"]] and start.time() == at for start in starts)
        assert all(a.end == b.start for a, b in pairwise(found))
        assert len(found) == (len(expected) if expected else 3)
        if expected:
            assert [start.isoformat(timespec="minutes") for start in starts] == expected
