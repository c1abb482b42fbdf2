"""What the vocabulary would be if an editor saved what he types: nothing is written."""

from __future__ import annotations

from kb.models import StopWord, SynonymSet, Word
from kb.text import synonyms
from kb.text.lexicon import Lexicon
from kb.text.normalize import normalize

Row = SynonymSet | StopWord | Word


def instead(row: Row) -> Lexicon:
    """Return the vocabulary with `row` in place of what it is kept as, if it is.

    Raises ValidationError as saving would.
    """
    row.full_clean()
    apart = {type(row): row.pk or 0}
    sets = SynonymSet.objects.exclude(pk=apart.get(SynonymSet, 0))
    stops = StopWord.objects.exclude(pk=apart.get(StopWord, 0))
    words = Word.objects.exclude(pk=apart.get(Word, 0))
    plain = [synonyms.SynonymSet(tuple(one.words()), one.two_way) for one in sets]
    if isinstance(row, SynonymSet):
        plain.append(synonyms.SynonymSet(tuple(row.words()), row.two_way))
    silent = list(stops.values_list("text", flat=True))
    silent += [row.text] if isinstance(row, StopWord) else []
    known = list(words.values_list("text", flat=True))
    known += [normalize(row.text)] if isinstance(row, Word) else []
    return Lexicon.of(plain, silent, known)
