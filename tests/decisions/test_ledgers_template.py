"""The template is a ledger that reads without a question or a warning."""

import datetime as dt
from typing import get_args

import pytest

from shared.texts import LANGUAGES, Language
from tests.support.csv_rows import MARK, stored
from write_side.sales.csv.ledger import open_ledger, sums_of
from write_side.sales.upload.template import TemplateFormat, template

NOW = dt.datetime(2026, 11, 29, 6, tzinfo=dt.UTC)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", get_args(TemplateFormat))
def test_a_template_reads_as_it_is(form: TemplateFormat, language: Language) -> None:
    ledger = open_ledger(stored(template(form, language)))
    reader = ledger.reader(NOW, MARK)
    sums = sums_of(ledger.items(reader))
    assert (ledger.table.format, ledger.rows) == (form, 2)
    assert (sums.revenue, sums.received, sums.owed) == (80_000, 30_000, 50_000)
    assert (ledger.layout.questions, ledger.layout.notices, reader.notices) == ((), (), [])
