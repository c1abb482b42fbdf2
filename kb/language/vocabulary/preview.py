"""What the vocabulary would be if an editor saved what he types: nothing is written."""

from __future__ import annotations

from kb.models import DictionaryWord, StopWord, SynonymSet
from kb.text.chinese import synonyms
from kb.text.chinese.lexicon import Lexicon
from kb.text.chinese.normalize import normalize_text

VocabularyRow = SynonymSet | StopWord | DictionaryWord


def build_preview_lexicon(row: VocabularyRow) -> Lexicon:
    """Return the vocabulary with `row` in place of what it is kept as, if it is.

    Raises ValidationError as saving would.
    """
    row.full_clean()
    apart = {type(row): row.pk or 0}
    sets = SynonymSet.objects.exclude(pk=apart.get(SynonymSet, 0))
    stops = StopWord.objects.exclude(pk=apart.get(StopWord, 0))
    words = DictionaryWord.objects.exclude(pk=apart.get(DictionaryWord, 0))
    plain = [
        synonyms.SynonymGroup(tuple(one.list_words()), one.two_way) for one in sets
    ]
    if isinstance(row, SynonymSet):
        plain.append(synonyms.SynonymGroup(tuple(row.list_words()), row.two_way))
    silent = list(stops.values_list("text", flat=True))
    silent += [row.text] if isinstance(row, StopWord) else []
    known = list(words.values_list("text", flat=True))
    known += [normalize_text(row.text)] if isinstance(row, DictionaryWord) else []
    return Lexicon.from_vocabulary(plain, silent, known)
