"""Rates as settings say them."""

from datetime import timedelta

import pytest

from campaign.text.rates import Rate


@pytest.mark.parametrize(
    ("written", "amount", "per"),
    [
        ("60/hour", 60, timedelta(hours=1)),
        (" 60 / hours ", 60, timedelta(hours=1)),
        ("10 per minute", 10, timedelta(minutes=1)),
        ("5/2 hours", 5, timedelta(hours=2)),
        ("6 per 2 Minutes", 6, timedelta(minutes=2)),
        ("100/day", 100, timedelta(days=1)),
        ("1/second", 1, timedelta(seconds=1)),
    ],
)
def test_a_rate_is_read_as_people_write_it(written: str, amount: int, per: timedelta) -> None:
    assert Rate.read(written) == Rate(amount, per)


@pytest.mark.parametrize("written", ["10/second; 1000/hour", "10/second,1000 per hour"])
def test_several_hold_together(written: str) -> None:
    assert Rate.read_all(written) == [Rate(10, timedelta(seconds=1)), Rate(1000, timedelta(hours=1))]


@pytest.mark.parametrize(
    "written",
    [
        "",
        "sixty",
        "60",
        "60/",
        "/hour",
        "0/hour",
        "60/0 hours",
        "-1/hour",
        "60/fortnight",
        "60/hour; ",
        "6e1/hour",
        "1.5/hour",
        "1111111111/hour",
        "60/11111 days",
        "60perhour",
    ],
)
def test_what_is_none_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="no rate"):
        Rate.read_all(written)
