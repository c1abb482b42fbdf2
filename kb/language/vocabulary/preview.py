"""The vocabulary as it would be if an editor saved their changes; writes nothing."""

from __future__ import annotations

from kb.models import DictionaryWord, StopWord, SynonymSet
from kb.text.chinese import synonyms
from kb.text.chinese.lexicon import Lexicon
from kb.text.chinese.normalize import normalize_text

VocabularyRow = SynonymSet | StopWord | DictionaryWord


def build_preview_lexicon(row: VocabularyRow) -> Lexicon:
    """Return the vocabulary with `row` in place of the stored row, if there is one.

    Raises ValidationError as saving would.
    """
    row.full_clean()
    excluded = {type(row): row.pk or 0}
    sets: list[SynonymSet] = list(
        SynonymSet.objects.exclude(pk=excluded.get(SynonymSet, 0))
    )
    stop_words = StopWord.objects.exclude(pk=excluded.get(StopWord, 0))
    words = DictionaryWord.objects.exclude(pk=excluded.get(DictionaryWord, 0))
    sets += [row] if isinstance(row, SynonymSet) else []
    groups = [
        synonyms.SynonymGroup(tuple(group.list_words()), group.two_way)
        for group in sets
    ]
    stop_texts = list(stop_words.values_list("text", flat=True))
    stop_texts += [row.text] if isinstance(row, StopWord) else []
    word_texts = list(words.values_list("text", flat=True))
    word_texts += [normalize_text(row.text)] if isinstance(row, DictionaryWord) else []
    return Lexicon.from_vocabulary(groups, stop_texts, word_texts)
