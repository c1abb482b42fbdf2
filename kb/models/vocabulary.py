"""The vocabulary of search: synonyms, words and stop words that editors write."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import combinations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from kb.models.atomic_save import AtomicSaveMixin
from kb.models.fields import ProseField
from kb.text.chinese import normalize, tokenizer
from kb.text.chinese.normalize import HAN_CHARACTER_CLASS

MAX_WORD_CHARS = 32  # the index cuts longer words, too
MIN_SYNONYMS, MAX_SYNONYMS = 2, 20  # words of one set


class SynonymSet(AtomicSaveMixin):
    """Words with the same meaning. One-way: a search for the first also finds the others."""

    topic = models.CharField(
        "主题",
        max_length=20,
        default="通用",
        help_text="只用来归类，例如：物流、错别字。",
    )
    members = ProseField(
        "词",
        help_text="一行一个，至少两个。搜其中一个，也会找到写着另一个的条目；"
        "只放客户可以互换着说的词，宁缺毋滥。",
    )
    two_way = models.BooleanField(
        "互相都能找到",
        default=True,
        help_text="不勾选时，只有搜第一个词会找到其余的，适合错别字：错的写第一行。",
    )

    class Meta:
        ordering = ["topic", "id"]
        verbose_name = "同义词"
        verbose_name_plural = "同义词"
        constraints = [
            models.CheckConstraint(
                condition=~Q(topic="") & ~Q(members=""), name="kb_synonymset_not_empty"
            )
        ]

    def __str__(self) -> str:
        first, *others = self.list_words() or [""]
        if self.two_way:
            return " = ".join([first, *others])
        return f"{first} → {'、'.join(others)}"

    def list_words(self) -> list[str]:
        """Return the words as typed, without empty lines."""
        return [
            word
            for line in self.members.splitlines()
            if (word := normalize.clean_single_line(line))
        ]

    def clean(self) -> None:
        self.topic = normalize.clean_single_line(self.topic)
        words = self.list_words()
        self.members = "\n".join(words)
        if errors := [error for word in words if (error := _find_word_error(word))]:
            raise ValidationError({"members": errors})
        distinct = {_normalize_word(word) for word in words}
        if not MIN_SYNONYMS <= len(distinct) == len(words) <= MAX_SYNONYMS:
            raise ValidationError({"members": _explain_member_count(words)})
        self._refuse_duplicate(words)
        self._refuse_cycle(words)

    def _refuse_duplicate(self, words: list[str]) -> None:
        """Refuse words that find each other through another two-way set already.

        In a one-way set these are the first word and any other; the others may be
        together in another set.
        """
        own = [_normalize_word(word) for word in words]
        others = SynonymSet.objects.filter(two_way=True).exclude(pk=self.pk)
        for members in others.values_list("members", flat=True):
            shared = [w for w in members.splitlines() if _normalize_word(w) in own]
            if len(shared) > 1 and (
                self.two_way or own[0] in map(_normalize_word, shared)
            ):
                raise _build_duplicate_error(shared, SynonymSet(members=members))

    def _refuse_cycle(self, words: list[str]) -> None:
        """Refuse one-way sets that lead back to their first word, and repeated pairs."""
        if self.two_way:
            return
        targets: dict[str, list[str]] = {}
        others = SynonymSet.objects.filter(two_way=False).exclude(pk=self.pk)
        first, *rest = map(_normalize_word, words)
        for members in others.values_list("members", flat=True):
            start, *ends = map(_normalize_word, members.splitlines() or [""])
            if start == first and (repeated := set(rest).intersection(ends)):
                other = SynonymSet(members=members, two_way=False)
                raise _build_duplicate_error([start, *sorted(repeated)], other)
            targets.setdefault(start, []).extend(ends)
        open_paths = [[first, word] for word in rest]
        seen = set(rest)
        while open_paths:
            path = open_paths.pop()
            for word in targets.get(path[-1], ()):
                if word == first:
                    cycle = " → ".join([*path, first])
                    message = (
                        f"绕回来了：{cycle}。要互相找到，"
                        "请合成一组并勾选“互相都能找到”。"
                    )
                    raise ValidationError({"members": message})
                if word not in seen:
                    seen.add(word)
                    open_paths.append([*path, word])


class DictionaryWord(AtomicSaveMixin):
    """A word that the segmenter's own dictionary cuts in pieces, or does not have."""

    class PartOfSpeech(models.TextChoices):
        NOUN = "n", "名词"
        VERB = "v", "动词"
        NAME = "nz", "专名"

    text = models.CharField(
        "词",
        max_length=MAX_WORD_CHARS,
        unique=True,
        help_text="两个字以上的汉字词，例如产品名、行话。搜索时不再被拆开理解。"
        "字母和数字不用加，本来就按整词搜。",
        error_messages={"unique": "词典里已经有这个词。"},
    )
    tag = models.CharField(
        "词性",
        max_length=4,
        choices=PartOfSpeech.choices,
        default=PartOfSpeech.NOUN,
        blank=True,
    )

    class Meta:
        ordering = ["text"]
        verbose_name = "词"
        verbose_name_plural = "词典"
        constraints = [
            models.CheckConstraint(
                condition=~Q(text=""), name="kb_dictionaryword_has_text"
            )
        ]

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        self.text = _normalize_word(self.text)
        if not re.fullmatch(f"[{HAN_CHARACTER_CLASS}]{{2,}}", self.text):
            message = "词典里的词至少两个汉字，中间没有空格、字母、数字和标点。"
            raise ValidationError({"text": message})


class StopWord(AtomicSaveMixin):
    """A word that carries no meaning in a search; it gets almost no weight."""

    text = models.CharField(
        "词",
        max_length=MAX_WORD_CHARS,
        unique=True,
        help_text="寒暄、语气词之类，搜索时几乎不算。"
        "可能是客户所问之事的词不要放进来。",
        error_messages={"unique": "停用词里已经有这个词。"},
    )

    class Meta:
        ordering = ["text"]
        verbose_name = "停用词"
        verbose_name_plural = "停用词"
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="kb_stopword_has_text")
        ]

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        self.text = _normalize_word(self.text)
        if not tokenizer.tokenize_text(self.text):
            raise ValidationError({"text": "请写一个词，只有标点不行。"})
        for synonyms in SynonymSet.objects.filter(members__icontains=self.text):
            if self.text in map(_normalize_word, synonyms.list_words()):
                message = (
                    f"“{self.text}”在同义词里：{synonyms}。停用以后那一组就不起作用了。"
                )
                raise ValidationError({"text": message})


@lru_cache(maxsize=10_000)  # each set is compared with all the others
def _normalize_word(word: str) -> str:
    return normalize.normalize_text(normalize.clean_single_line(word)).strip()


def _build_duplicate_error(shared: list[str], other: SynonymSet) -> ValidationError:
    message = f"“{'”“'.join(shared)}”已经在另一组里：{other}。请直接修改那一组。"
    return ValidationError({"members": message})


def _find_word_error(word: str) -> str:
    """Return an error message for one word of a set, "" for a valid one."""
    if re.search("[、，,；;|｜]", word):
        return f"“{word[:MAX_WORD_CHARS]}”：一行只写一个词，不用标点隔开。"
    if len(word) > MAX_WORD_CHARS:
        return f"“{word[:MAX_WORD_CHARS]}…”太长，一个词最多 {MAX_WORD_CHARS} 个字。"
    if not tokenizer.tokenize_text(word):
        return f"“{word}”里没有可以搜索的字。"
    return ""


def _explain_member_count(words: list[str]) -> str:
    """Return why a set of `words` is too small, too large, or has duplicates."""
    if len(words) > MAX_SYNONYMS:
        return f"一组最多 {MAX_SYNONYMS} 个词。"
    for word, other in combinations(words, 2):
        if _normalize_word(word) == _normalize_word(other):
            return f"“{word}”和“{other}”在搜索时是同一个词，只留一个。"
    return "至少写两个不同的词，一行一个。"
