"""Referrals: a word in a link is counted with the signature that it brought, and then not kept with the signer."""

import re
from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.db import upsert
from campaign.models import SourceCount

MOST = 200
# The word for all further links: anybody can write a link, so their number needs a limit.
OTHER = "other"
_WORD = re.compile(r"[a-z0-9-]{1,40}")


def clean_source(typed: str) -> str | None:
    """The word of a link under which its signers are counted; None if the text is no such word."""
    word = typed.strip().lower()
    return word if _WORD.fullmatch(word) else None


def count_sources(session: Session, petition_id: int, sources: Counter[str]) -> None:
    """Count signatures by the link that brought them.

    Call it in the transaction that counts them, after counting: counting locks the petition's counter, so transactions
    see one after the other how many links there are.
    """
    if not sources:
        return
    known = set(session.scalars(select(SourceCount.source).where(SourceCount.petition_id == petition_id)))
    room = MOST - len(known - {OTHER})
    counted: Counter[str] = Counter()
    for source in sorted(sources):
        if source not in known | {OTHER}:
            room -= 1
        counted[source if source in known or room >= 0 else OTHER] += sources[source]
    for source, count in sorted(counted.items()):
        session.execute(
            upsert(session, SourceCount)
            .values(petition_id=petition_id, source=source, confirmed=count)
            .on_conflict_do_update(
                index_elements=[SourceCount.petition_id, SourceCount.source],
                set_={"confirmed": SourceCount.confirmed + count},
            )
        )


def list_sources(session: Session, petition_id: int) -> list[tuple[str, int]]:
    """Each link's word with the number of its signatures, the largest first."""
    rows = session.execute(
        select(SourceCount.source, SourceCount.confirmed)
        .where(SourceCount.petition_id == petition_id)
        .order_by(SourceCount.confirmed.desc(), SourceCount.source)
    )
    return [(source, confirmed) for source, confirmed in rows]
