import datetime as dt
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from write_side.sales.csv.dates import AmbiguousDates, DateFormat, Order, decide
from write_side.sales.csv.faults import BadCell, Fault

THE_DAY = dt.date(2025, 10, 3)
BANGLA = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
STYLES: list[tuple[str, Order]] = [
    ("{y:04}-{m:02}-{d:02}", "ymd"),
    ("{y:04}/{m}/{d}", "ymd"),
    ("{d:02}/{m:02}/{y:04}", "dmy"),
    ("{d}-{m}-{y:04}", "dmy"),
    ("{d:02}.{m:02}.{y:04}", "dmy"),
    ("{m:02}/{d:02}/{y:04}", "mdy"),
    ("{m}-{d}-{y:04}", "mdy"),
    ("{d} {mon} {y:04}", "ymd"),
    ("{d:02}-{mon}-{y:04}", "ymd"),
    ("{mon} {d}, {y:04}", "ymd"),
]


def read(cell: str, order: Order = "ymd") -> tuple[dt.date, int | None]:
    return DateFormat(order).read(cell)


def fault_of(cell: str, form: DateFormat | None = None) -> Fault:
    with pytest.raises(BadCell) as refused:
        (form or DateFormat("ymd")).read(cell)
    return refused.value.fault


@pytest.mark.parametrize(
    "cell",
    [
        "2025-10-03",
        " 2025-10-3 ",
        "2025/10/03",
        "২০২৫-১০-০৩",
        "3 Oct 2025",
        "03-Oct-2025",
        "3-oct-25",
        "3 October, 2025",
        "3rd October 2025",
        "October 3, 2025",
        "Oct. 3 2025",
        "৩ অক্টোবর ২০২৫",
        "৩ অক্টোবর, ২০২৫",
    ],
)
def test_dates_that_speak_for_themselves_need_no_order(cell: str) -> None:
    assert read(cell) == (THE_DAY, None)


@pytest.mark.parametrize("cell", ["03/10/2025", "3-10-2025", "03.10.2025", "০৩-১০-২০২৫"])
def test_the_order_decides_what_is_day_and_month(cell: str) -> None:
    assert read(cell, "dmy") == (THE_DAY, None)
    assert read(cell, "mdy") == (dt.date(2025, 3, 10), None)
    assert fault_of(cell) == Fault.INVALID_DATE


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("2025-10-03T14:05", 50_700),
        ("2025-10-03 14:05:09", 50_709),
        ("2025-10-03 14:05:09.123456", 50_709),
        ("2025-10-03 00:00:00", 0),
        ("3/10/2025 8:26", 30_360),
        ("3/10/2025 8:26 PM", 73_560),
        ("3/10/2025 12:00:01 a.m.", 1),
        ("3/10/2025, 12:30 pm", 45_000),
        ("৩/১০/২০২৫ ৮:২৬", 30_360),
        ("3 Oct 2025 14:05", 50_700),
    ],
)
def test_times_are_seconds_since_midnight(cell: str, seconds: int) -> None:
    assert read(cell, "dmy") == (THE_DAY, seconds)


def test_a_time_with_an_offset_is_moved_to_dhaka() -> None:
    assert read("2025-10-02T18:30:00Z") == (THE_DAY, 1_800)
    assert read("2025-10-03T02:30:00+08:00") == (THE_DAY, 1_800)
    assert read("2025-10-02 13:30-0500") == (THE_DAY, 1_800)
    assert read("2025-10-03T00:30:00+06") == (THE_DAY, 1_800)


@pytest.mark.parametrize(
    "cell",
    [
        "Latte",
        "2025-13-01",
        "2025-02-29",
        "2025-10",
        "10/2025",
        "2025-10/03",
        "20251003",
        "45931",
        "2025-10-031",
        "0000-00-00",
        "2025-10-03T25:00",
        "2025-10-03 13:00 PM",
        "2025-10-03 0:10 AM",
        "2025-10-03T10:60",
        "2025-10-03T10:00+99:00",
        "2025-10-03T10:00+06:75",
        "9999-12-31T23:00:00-12:00",
        "3 Foo 2025",
        "2025-10-03 x",
        "-2025-10-03",
        "٢٠٢٥-١٠-٠٣",
        "x" * 10_000,
    ],
)
def test_an_invalid_date_is_refused(cell: str) -> None:
    assert fault_of(cell, DateFormat("dmy")) == Fault.INVALID_DATE


def test_a_blank_date_is_missing() -> None:
    assert fault_of("") == fault_of(" \u00a0") == Fault.MISSING_VALUE


def test_two_digit_years_in_numbers_are_read_only_in_an_order_the_owner_chose() -> None:
    assert fault_of("03/10/25", decide(["13/10/2025"])) == Fault.TWO_DIGIT_YEAR
    assert decide([], "dmy").read("03/10/25") == (THE_DAY, None)
    assert decide([], "mdy").read("10-3-25") == (THE_DAY, None)
    assert fault_of("03/10/25", decide([], "ymd")) == Fault.TWO_DIGIT_YEAR


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["2025-10-01", "2025-10-02"], "ymd"),
        (["1 Oct 2025"], "ymd"),
        ([], "ymd"),
        (["Latte", ""], "ymd"),
        (["03/10/2025", "13/10/2025"], "dmy"),
        (["03/10/2025", "10/13/2025 8:26"], "mdy"),
        (["০৩-১০-২০২৫", "১৩-১০-২০২৫"], "dmy"),
        (["2025-10-01", "31.12.2024"], "dmy"),
        (["05/05/2025", "2/2/2025"], "dmy"),
        (["2025-10-01", "03/10/25"], "ymd"),
        (["45/10/2025", "99/99/2025", "2025-10-01"], "ymd"),
    ],
)
def test_one_cell_above_twelve_proves_the_order_of_the_column(cells: list[str], order: Order) -> None:
    assert decide(cells).order == order


@pytest.mark.parametrize(
    ("cells", "example"),
    [
        (["03/10/2025", "2025-10-13"], "03/10/2025"),
        (["13/10/2025", "03/10/2025", "10/13/2025"], "03/10/2025"),
        (["13/10/2025", "10/13/2025"], "10/13/2025"),
        (["25-12-24"], "25-12-24"),
    ],
)
def test_a_column_that_proves_nothing_or_both_is_a_question_to_the_owner(cells: list[str], example: str) -> None:
    with pytest.raises(AmbiguousDates) as asked:
        decide(cells)
    assert (asked.value.example, asked.value.choices) == (example, ("dmy", "mdy"))
    assert decide(cells, "mdy").order == "mdy"


def test_the_proof_may_come_after_many_thousand_cells() -> None:
    cells = [f"{day}/{month}/{year}" for year in range(1000, 1100) for month in range(1, 13) for day in range(1, 13)]
    assert decide([*cells, "31/12/2024"]).order == "dmy"


def test_a_column_of_nothing_but_different_timestamps_takes_little_memory() -> None:
    tracemalloc.start()
    try:
        decide(
            f"2025-10-{second % 28 + 1} {second // 3600 % 24}:{second // 60 % 60}:{second % 60}"
            for second in range(60_000)
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


@settings(deadline=None)
@given(st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)), st.sampled_from(STYLES), st.booleans())
def test_every_date_is_read_in_every_style(date: dt.date, style: tuple[str, Order], in_bangla: bool) -> None:
    form, order = style
    cell = form.format(y=date.year, m=date.month, d=date.day, mon=f"{date:%b}")
    assert read(cell.translate(BANGLA) if in_bangla else cell, order) == (date, None)


@settings(deadline=None)
@given(st.datetimes(dt.datetime(2000, 1, 2), dt.datetime(2099, 12, 30)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001 - local times are what is tested
def test_every_instant_falls_on_its_dhaka_day(moment: dt.datetime, offset: int) -> None:
    there = moment.replace(microsecond=0, tzinfo=dt.timezone(dt.timedelta(minutes=offset)))
    in_dhaka = there.astimezone(dt.timezone(dt.timedelta(hours=6)))
    assert read(there.isoformat()) == (
        in_dhaka.date(),
        in_dhaka.hour * 3600 + in_dhaka.minute * 60 + in_dhaka.second,
    )


@settings(deadline=None)
@given(st.one_of(st.text(max_size=80), st.from_regex(r"[0-9০-৯]{1,4}[-/. ][0-9a-z]{1,4}[-/. ][0-9]{1,4}.{0,12}")))
def test_any_cell_is_a_date_or_refused(cell: str) -> None:
    for order in ("dmy", "mdy", "ymd"):
        form = decide([cell], order)
        try:
            date, seconds = form.read(cell)
        except BadCell:
            continue
        assert isinstance(date, dt.date)
        assert seconds is None or 0 <= seconds < 86_400


@settings(deadline=None)
@given(st.lists(st.dates(dt.date(2000, 1, 1), dt.date(2025, 12, 31)), min_size=1), st.sampled_from(["dmy", "mdy"]))
def test_a_column_is_never_read_in_the_wrong_order(dates: list[dt.date], order: Order) -> None:
    style = "{d}/{m}/{y}" if order == "dmy" else "{m}/{d}/{y}"
    cells = [style.format(y=date.year, m=date.month, d=date.day) for date in dates]
    try:
        form = decide(cells)
    except AmbiguousDates:
        assert all(date.day <= 12 for date in dates)
    else:
        assert [form.read(cell)[0] for cell in cells] == dates
