"""When a digest is due, in the petition's timezone: also over clock changes, and on the 31st of a short month."""

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from campaign.models import Petition, Schedule
from campaign.models.edition import Frequency
from campaign.services.petitions.file_parts import WEEKDAYS
from campaign.services.petitions.file_schema import DigestPlan


def find_schedule(session: Session, petition_id: int) -> Schedule | None:
    """When the petition's digest is due; None if it has no digest."""
    return session.get(Schedule, petition_id)


def next_run(schedule: Schedule, timezone: str, *, after: datetime) -> datetime:
    """The first moment of the schedule later than ``after``, in UTC.

    If a clock change skips the time of day, the run is when the clock has moved on; if it repeats the time, the run is
    the first of the two. Missed runs are not made up for: they become the one run that is due.
    """
    zone = ZoneInfo(timezone)
    day = after.astimezone(zone).date() - timedelta(days=1)
    while True:
        if _falls_on(schedule, day):
            # fold=0 reads a repeated time as the first of the two. In a gap it uses the offset before the change, which
            # gives a moment after the change in UTC.
            moment = datetime.combine(day, schedule.time_of_day, tzinfo=zone).astimezone(UTC)
            if moment > after:
                return moment
        day += timedelta(days=1)


def _falls_on(schedule: Schedule, day: date) -> bool:
    if schedule.frequency is Frequency.WEEKLY:
        return day.weekday() == schedule.day
    return day.day == min(schedule.day, calendar.monthrange(day.year, day.month)[1])


def is_window_open(schedule: Schedule | None, timezone: str, moment: datetime) -> bool:
    """Whether an edition may be sent at ``moment``. The local time decides, also in an hour that comes twice."""
    if schedule is None or schedule.window_from is None or schedule.window_until is None:
        return True
    opens, closes, at = schedule.window_from, schedule.window_until, moment.astimezone(ZoneInfo(timezone)).time()
    return opens <= at < closes if opens < closes else at >= opens or at < closes


def next_opening(schedule: Schedule | None, timezone: str, *, after: datetime) -> datetime:
    """The first moment from ``after`` on at which the send window is open, in UTC."""
    moment = after
    # Minute by minute, because a clock change can open and close a window at moments that arithmetic on its times does
    # not find. The window opens within three days, even if a change skips all of it.
    while not is_window_open(schedule, timezone, moment):
        moment = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return moment


def plan_digest(session: Session, petition: Petition, plan: DigestPlan, *, now: datetime) -> Schedule:
    """Set when the petition's digest is sent. A run that is due already stays due, unless the plan changed."""
    frequency = Frequency(plan.frequency)
    day = WEEKDAYS.index(plan.weekday) if frequency is Frequency.WEEKLY else plan.day_of_month
    schedule = session.get(Schedule, petition.id)
    if schedule is None:
        schedule = Schedule(petition_id=petition.id)
        session.add(schedule)
    schedule.needs_approval, schedule.cool_down_minutes = plan.approval, plan.cool_down
    schedule.window_from, schedule.window_until = plan.window_times
    if (schedule.frequency, schedule.day, schedule.time_of_day) == (
        frequency,
        day,
        plan.time,
    ) and schedule.next_at <= now:
        return schedule
    schedule.frequency, schedule.day, schedule.time_of_day = frequency, day, plan.time
    schedule.next_at = next_run(schedule, petition.timezone, after=now)
    return schedule
