"""Pages of a list: which rows a `limit` and a `page` mean, and the shape of the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query

from visavis.api import vocabulary

MOST = 100
_LAST_ROW = 2**31
"""Beyond this no list reaches, and a database's integers end."""

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many to return.")]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows `offset` to `offset + limit` of a list."""

    offset: int
    limit: int
    number: int
    """As it was asked for."""


async def _from_one(
    limit: Limit = 10,
    page: Annotated[int, Query(ge=0, le=_LAST_ROW // MOST, description="1 is the first page; 0 means the same.")] = 1,
) -> Page:
    return Page(max(page - 1, 0) * limit, limit, page)


async def _from_zero(
    limit: Limit = 10,
    page: Annotated[int, Query(ge=0, le=_LAST_ROW // MOST, description="0 is the first page.")] = 0,
) -> Page:
    return Page(page * limit, limit, page)


FromOne = Annotated[Page, Depends(_from_one)]
"""Of most lists. Some clients count these from 0 all the same."""

FromZero = Annotated[Page, Depends(_from_zero)]
"""Of videos, documents and pronunciation dictionaries."""


def listed(found: Sequence[dict[str, Any]], total_count: int) -> dict[str, Any]:
    """The answer: `found` in both vocabularies, and how many there are on all pages."""
    return {"data": [vocabulary.in_both(one) for one in found], "total_count": total_count}


def behind(page: Page, first_count: int) -> tuple[slice, Page]:
    """Where a page lies in two lists of which the second follows the first, `first_count` long.

    Returns the part of the first, and the page of the second (whose `limit` may be 0).
    """
    start = min(page.offset, first_count)
    end = min(page.offset + page.limit, first_count)
    rest = Page(max(page.offset - first_count, 0), page.limit - (end - start), page.number)
    return slice(start, end), rest
