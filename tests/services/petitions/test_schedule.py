"""Schedules: the right moment in the campaign's timezone, over clock changes and short months."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from campaign.models import Schedule
from campaign.models.edition import Frequency
from campaign.services.petitions.file_schema import DigestPlan
from campaign.services.petitions.schedule import is_window_open, next_opening, next_run, plan_digest
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG, START

SUNDAY = 6


def weekly(day: int, at: str) -> Schedule:
    return Schedule(frequency=Frequency.WEEKLY, day=day, time_of_day=time.fromisoformat(at))


def monthly(day: int, at: str) -> Schedule:
    return Schedule(frequency=Frequency.MONTHLY, day=day, time_of_day=time.fromisoformat(at))


def runs(schedule: Schedule, timezone: str, after: str, count: int) -> list[str]:
    """The next runs as they read on a clock on the wall, with its distance from UTC."""
    moment = datetime.fromisoformat(after).astimezone(UTC)
    found = []
    for _ in range(count):
        moment = next_run(schedule, timezone, after=moment)
        found.append(moment.astimezone(ZoneInfo(timezone)).isoformat(timespec="minutes"))
    return found


@pytest.mark.parametrize(
    ("schedule", "timezone", "after", "expected"),
    [
        pytest.param(
            weekly(4, "10:00"),
            "Asia/Almaty",
            "2026-11-23T07:00Z",
            ["2026-11-27T10:00+05:00", "2026-12-04T10:00+05:00"],
            id="every friday",
        ),
        pytest.param(
            weekly(4, "10:00"),
            "Asia/Almaty",
            "2026-11-27T05:00Z",
            ["2026-12-04T10:00+05:00"],
            id="strictly later than the run itself",
        ),
        pytest.param(
            weekly(0, "00:30"),
            "Pacific/Kiritimati",
            "2026-11-22T10:00Z",
            ["2026-11-23T00:30+14:00"],
            id="the day is the timezone's, east",
        ),
        pytest.param(
            weekly(0, "23:30"),
            "Pacific/Niue",
            "2026-11-24T09:00Z",
            ["2026-11-23T23:30-11:00"],
            id="the day is the timezone's, west",
        ),
        pytest.param(
            weekly(SUNDAY, "02:30"),
            "Europe/Berlin",
            "2026-03-16T00:00Z",
            ["2026-03-22T02:30+01:00", "2026-03-29T03:30+02:00", "2026-04-05T02:30+02:00"],
            id="a skipped hour runs when the clock has moved on",
        ),
        pytest.param(
            weekly(SUNDAY, "02:30"),
            "Europe/Berlin",
            "2026-10-19T00:00Z",
            ["2026-10-25T02:30+02:00", "2026-11-01T02:30+01:00"],
            id="a repeated hour runs the first time only",
        ),
        pytest.param(
            weekly(SUNDAY, "02:30"),
            "Europe/Berlin",
            "2026-10-25T00:30Z",
            ["2026-11-01T02:30+01:00"],
            id="not again in the repeated hour",
        ),
        pytest.param(
            monthly(31, "09:00"),
            "Europe/Berlin",
            "2027-01-15T00:00Z",
            [
                "2027-01-31T09:00+01:00",
                "2027-02-28T09:00+01:00",
                "2027-03-31T09:00+02:00",
                "2027-04-30T09:00+02:00",
            ],
            id="31 is the last day",
        ),
        pytest.param(
            monthly(30, "09:00"),
            "Europe/Berlin",
            "2028-01-31T00:00Z",
            ["2028-02-29T09:00+01:00", "2028-03-30T09:00+02:00"],
            id="the 30th in a leap year's February",
        ),
        pytest.param(
            monthly(29, "09:00"),
            "Asia/Almaty",
            "2027-02-01T00:00Z",
            ["2027-02-28T09:00+05:00", "2027-03-29T09:00+05:00"],
            id="the 29th in a common year's February, where clocks never change",
        ),
        pytest.param(
            monthly(1, "10:00"),
            "Asia/Almaty",
            "2026-12-31T20:00Z",
            ["2027-01-01T10:00+05:00", "2027-02-01T10:00+05:00"],
            id="over the turn of the year",
        ),
    ],
)
def test_runs_come_when_the_clock_on_the_wall_says_so(
    schedule: Schedule, timezone: str, after: str, expected: list[str]
) -> None:
    assert runs(schedule, timezone, after, len(expected)) == expected


schedules = st.one_of(
    st.builds(Schedule, frequency=st.just(Frequency.WEEKLY), day=st.integers(0, 6), time_of_day=st.times()),
    st.builds(Schedule, frequency=st.just(Frequency.MONTHLY), day=st.integers(1, 31), time_of_day=st.times()),
)
timezones = st.sampled_from(
    ["Europe/Berlin", "Asia/Almaty", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"]
)
moments = st.integers(946_684_800, 2_840_140_800).map(lambda second: datetime.fromtimestamp(second, UTC))


@given(schedules, timezones, moments)
def test_each_run_is_later_than_the_one_before_and_none_is_left_out(
    schedule: Schedule, timezone: str, after: datetime
) -> None:
    found = [after]
    for _ in range(5):
        found.append(next_run(schedule, timezone, after=found[-1]))
    assert all(earlier < later for earlier, later in pairwise(found))
    longest = timedelta(days=8 if schedule.frequency is Frequency.WEEKLY else 33)
    assert all(later - earlier < longest for earlier, later in pairwise(found))


@given(schedules, timezones, moments, st.timedeltas(timedelta(), timedelta(days=400)))
def test_runs_that_were_missed_coalesce_into_the_next_one(
    schedule: Schedule, timezone: str, after: datetime, asleep: timedelta
) -> None:
    woken = after + asleep
    following = next_run(schedule, timezone, after=after)
    while following <= woken:
        following = next_run(schedule, timezone, after=following)
    assert next_run(schedule, timezone, after=woken) == following


def window(opens: str, closes: str) -> Schedule:
    return Schedule(window_from=time.fromisoformat(opens), window_until=time.fromisoformat(closes))


@pytest.mark.parametrize(
    ("schedule", "timezone", "after", "expected"),
    [
        pytest.param(window("08:00", "20:00"), "Asia/Almaty", "2026-11-23T12:00:30+05:00", None, id="open now"),
        pytest.param(window("08:00", "20:00"), "Asia/Almaty", "2026-11-23T08:00+05:00", None, id="opens now"),
        pytest.param(
            window("08:00", "20:00"),
            "Asia/Almaty",
            "2026-11-23T20:00+05:00",
            "2026-11-24T08:00+05:00",
            id="closes now",
        ),
        pytest.param(
            window("08:00", "20:00"),
            "Asia/Almaty",
            "2026-11-23T05:30:30+05:00",
            "2026-11-23T08:00+05:00",
            id="later today",
        ),
        pytest.param(window("20:00", "06:00"), "Asia/Almaty", "2026-11-23T05:59+05:00", None, id="over midnight"),
        pytest.param(
            window("20:00", "06:00"),
            "Asia/Almaty",
            "2026-11-23T06:00+05:00",
            "2026-11-23T20:00+05:00",
            id="over midnight, by day",
        ),
        pytest.param(
            window("02:30", "09:00"),
            "Europe/Berlin",
            "2026-03-29T00:00+01:00",
            "2026-03-29T03:00+02:00",
            id="an opening that a clock change skips is the moment of the change",
        ),
        pytest.param(
            window("02:15", "02:45"),
            "Europe/Berlin",
            "2026-03-29T00:00+01:00",
            "2026-03-30T02:15+02:00",
            id="a window that a clock change skips is the next day's",
        ),
        pytest.param(
            window("01:00", "02:30"),
            "Europe/Berlin",
            "2026-10-25T02:30+02:00",
            "2026-10-25T02:00+01:00",
            id="an hour that comes twice opens it twice",
        ),
        pytest.param(Schedule(), "Asia/Almaty", "2026-11-23T03:00+05:00", None, id="no window"),
    ],
)
def test_the_next_opening_is_read_on_the_clock_on_the_wall(
    schedule: Schedule, timezone: str, after: str, expected: str | None
) -> None:
    opening = next_opening(schedule, timezone, after=datetime.fromisoformat(after).astimezone(UTC))
    assert opening == datetime.fromisoformat(expected or after)


minutes = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))


@given(minutes, minutes, timezones, moments)
def test_a_window_is_open_at_its_opening_and_at_no_minute_before(
    opens: time, closes: time, timezone: str, after: datetime
) -> None:
    assume(opens != closes)
    schedule = Schedule(window_from=opens, window_until=closes)
    opening = next_opening(schedule, timezone, after=after)
    assert is_window_open(schedule, timezone, opening)
    assert after <= opening <= after + timedelta(days=3)
    if opening > after:
        assert not is_window_open(schedule, timezone, opening - timedelta(minutes=1))


def test_a_plan_read_again_changes_who_lets_it_go_and_when_but_not_what_is_due(session: Session) -> None:
    petition = get_petition(session, SLUG)
    schedule = plan_digest(session, petition, DigestPlan(), now=START)
    due = schedule.next_at
    plan = DigestPlan(approval=True, cool_down=30, window="08:00-20:30")
    plan_digest(session, petition, plan, now=due + timedelta(days=30))
    assert (schedule.next_at, schedule.needs_approval, schedule.cool_down_minutes) == (due, True, 30)
    assert (schedule.window_from, schedule.window_until) == (time(8), time(20, 30))
    plan_digest(session, petition, DigestPlan(), now=due)
    assert (schedule.needs_approval, schedule.cool_down_minutes, schedule.window_from) == (False, 0, None)
