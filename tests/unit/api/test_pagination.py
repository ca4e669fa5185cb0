"""Pages: every row once, whatever the size of a page."""

from hypothesis import given
from hypothesis import strategies as st

from visavis.api.pagination import Page, behind


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 9))
def test_two_lists_one_behind_the_other_are_paged_as_one(first_count, second_count, limit):
    first, second = [f"a{i}" for i in range(first_count)], [f"b{i}" for i in range(second_count)]
    found = []
    for number in range(1, (first_count + second_count) // limit + 2):
        part, rest = behind(Page((number - 1) * limit, limit, number), first_count)
        page = first[part] + second[rest.offset :][: rest.limit]
        assert len(page) <= limit
        found += page
    assert found == first + second
