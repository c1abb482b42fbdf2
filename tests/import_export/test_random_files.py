"""A thousand random rows are exported and imported without any difference."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from django.core.management.color import no_style
from django.db import connection

from kb import import_export
from kb.import_export import RowAction, cells
from kb.index import sync
from kb.language import style_rules
from kb.library import entries
from kb.models import (
    Category,
    Channel,
    DictionaryWord,
    Entry,
    Module,
    Phrasing,
    Question,
    Reply,
    StopWord,
    SynonymSet,
    Tag,
)
from kb.text.chinese import normalize
from tests.importing import plan

pytestmark = pytest.mark.django_db
ROWS = 1000
SEED = int(os.environ.get("KB_SEED", "618"))  # another one, another thousand
VOCABULARY = ("synonyms", "words", "stopwords")
KINDS = ("entries", "replies", "phrasings", "questions", *VOCABULARY)
TABLES: tuple[Any, ...] = (
    *(Reply, Phrasing, Question, Entry, Category, Tag, Module),
    *(SynonymSet, DictionaryWord, StopWord),
)
# What spreadsheets, encodings, separators and importers stumble over.
PIECES = [
    *"= + - @ == ＝ ＋ － ＠ ' '= '' \" \"\" , ， ; ； | ｜ / ／ > › \\ \\\\ 、 #".split(),
    *("\t", "\n", "\r\n", "\r", " ", "\u3000", "\u00a0", "\u2028", "\x00", "\x1f"),
    *"None nan TRUE 0 007 1E5 1.23E+15 2024/1/5 45296 #REF! _x000D_ _x005F_x000A_".split(),
    *"=cmd|'/C'!A0 <b>x</b> &amp; ]]> sep=; 退货 運費 ｉＰｈｏｎｅ 𠮷 龘 👨\u200d👩\u200d👧 e\u0301".split(),
    *("\u200b", "\u202e", "\ufeff", "\ufffe", "\uffff"),
]
RANGES = [(32, 0x3000), (0x3400, 0xD800), (0xE000, 0xFFFD), (0x1F300, 0x323B0)]
HAN = "退换货款运费发票快递"


class Cells:
    """Random cells, as far as editors could have typed them."""

    def __init__(self, seed: int) -> None:
        self.rng, self.numbers = Random(seed), count(1)

    def text(self, most: int = 6) -> str:
        rng = self.rng
        free = [chr(rng.randrange(*rng.choice(RANGES))) for _ in range(3)]
        parts = rng.choices(PIECES, k=rng.randrange(most)) + free
        return "".join(rng.sample(parts, len(parts)))

    def prose(self) -> str:
        return cells.normalize_line_ends(normalize.clean_text(self.text(15))).strip()

    def line(self, most: int) -> str:
        return normalize.clean_single_line(self.text())[:most].strip()

    def name(self, most: int) -> str:
        """Return a line that no other equals, whatever its spelling."""
        said = self.line(most - 8)
        return normalize.clean_single_line(f"{said}名{next(self.numbers)}")

    def word(self) -> str:
        return "词" + "".join(HAN[int(digit)] for digit in str(next(self.numbers)))

    def some(self, make: Callable[[], Any], most: int) -> list[Any]:
        return [make() for _ in range(self.rng.randrange(most + 1))]


def shelves(some: Cells) -> list[Category | None]:
    made: list[Any] = [None]
    for _ in range(12):
        above = some.rng.choice([one for one in made if not one or not one.parent])
        made.append(Category.objects.create(name=some.name(50), parent=above))
    return made


def fill(some: Cells) -> None:
    """Keep ROWS random entries and questions, and some of all that goes with them."""
    rng, library = some.rng, style_rules.LibraryLookup()
    places = shelves(some)
    tags = [Tag.objects.create(name=some.name(30)) for _ in range(20)]
    modules = [None, *(Module.objects.create(name=some.name(50)) for _ in range(5))]
    new, replies, phrasings, tagged = [], [], [], []
    for number in range(ROWS):
        entry = Entry(
            question=some.name(200),
            answer=some.prose().replace("!", ""),
            keywords=some.line(50),
            category=rng.choice(places),
            module=rng.choice(modules),
            audience=rng.choice(Entry.Audience.values),
            source=some.line(50),
            external_id=rng.choice(["", f"{number}", f"={number}"]),
        )
        labels = rng.sample(["标准", "简短", "其他", some.name(20)], rng.randrange(4))
        bodies = [some.prose().translate({123: None, 125: None}) for _ in labels]
        mine = [
            Reply(entry=entry, label=label, body=body.strip(), order=order)
            for order, (label, body) in enumerate(zip(labels, bodies, strict=True))
            if body.strip()
        ]
        for reply in mine:
            reply.tone = rng.choice(Reply.Tone.values)
            reply.channel = rng.choice(["", *Channel.values])
        asked = some.some(lambda: some.name(200), 3)
        said = [(reply.label, reply.body) for reply in mine]
        found = style_rules.list_form_texts(entry.question, entry.answer, said, asked)
        if entry.answer and not style_rules.check_texts(
            found, strict=True, library=library
        ):
            entry.status = rng.choice(Entry.Status.values)
        entry.clean()
        entry.update_derived_columns()
        new.append(entry)
        replies += mine
        phrasings += [
            Phrasing(
                entry=entry, text=text, text_key=normalize.compute_spelling_key(text)
            )
            for text in asked
        ]
        tagged += [(entry, tag) for tag in rng.sample(tags, rng.randrange(3))]
    entries.store_entries(
        new, [], replies=replies, phrasings=phrasings, tags=tagged, by=None
    )


def ask(some: Cells) -> None:
    rng, first = some.rng, datetime(2020, 1, 1, tzinfo=UTC)
    modules = [None, *Module.objects.all()]
    for _ in range(ROWS):
        Question.objects.create(
            text=some.prose() or "问",
            answer=some.prose(),
            channel=rng.choice(Channel.values),
            segment=some.line(20),
            module=rng.choice(modules),
            source=some.line(50),
            asked_at=first + timedelta(seconds=rng.random() * 1e8),
        )


def teach(some: Cells) -> None:
    for _ in range(60):
        members = [some.word() + some.rng.choice(["", "=x", "/甲", "\\"])]
        members += some.some(some.word, 4) or [some.word()]
        row = SynonymSet(members="\n".join(members), topic=some.line(19) or "通用")
        row.two_way = some.rng.random() > 0.5
        row.full_clean()
        row.save()
        DictionaryWord.objects.create(
            text=some.word(),
            tag=some.rng.choice(["", *DictionaryWord.PartOfSpeech.values]),
        )
        StopWord.objects.create(text=some.word())


def written(kind: str, form: str) -> bytes:
    made, heads = (
        import_export.prepare_export(kind),
        import_export.list_export_headings(kind),
    )
    if form == "csv":
        return "".join(import_export.iter_csv_lines(heads, made.iter_lines())).encode()
    file = io.BytesIO()
    import_export.write_workbook(heads, made.iter_lines(), file, made.label)
    return file.getvalue()


def cells_of(file: bytes) -> bytes:
    """Return the bytes that matter: those of a workbook tell when it was made."""
    if not file.startswith(b"PK"):
        return file
    return zipfile.ZipFile(io.BytesIO(file)).read("xl/worksheets/sheet1.xml")


def emptied() -> None:
    """Leave nothing behind, and count from 1 again: 库内号 are to be the same."""
    Entry.objects.update(category=None)
    while Category.objects.exists():
        Category.objects.filter(children=None).delete()
    for table in TABLES:
        table._base_manager.all().delete()
    names = [{"table": t._meta.db_table, "column": "id"} for t in TABLES]
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_by_name_sql(no_style(), names):
            cursor.execute(sql)


def test_a_thousand_random_rows_come_back_byte_for_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sync, "sync_all_marks", lambda **_: None)  # no search follows
    some = Cells(SEED)
    emptied()
    fill(some)
    ask(some)
    teach(some)
    files = {(k, form): written(k, form) for form in ("csv", "xlsx") for k in KINDS}
    for (kind, form), file in files.items():  # into the library that it came from
        again = plan(file, kind=kind).planned_rows
        other = [str(step) for step in again if step.action is not RowAction.SAME]
        assert not other, (SEED, kind, form, other[:5])
    for form in ("csv", "xlsx"):  # and into an empty one
        emptied()
        for kind in KINDS:
            made = plan(files[kind, form], kind=kind)
            assert not made.refused_rows, (
                SEED,
                [str(step) for step in made.refused_rows][:5],
            )
            import_export.apply_import(made, by=None)
        for kind in KINDS:
            file = cells_of(files[kind, form])
            assert cells_of(written(kind, form)) == file, (SEED, kind, form)
