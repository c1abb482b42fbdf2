"""Vocabulary: what editors teach the search, in force from the next search on."""

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

MAX_WORD_CHARS = 32  # characters of a word; longer ones are cut in the index, too
MIN_SYNONYMS, MAX_SYNONYMS = 2, 20  # members of a set of synonyms


class SynonymSet(AtomicSaveMixin):
    """Words that ask for the same; one-way, the first finds the rest only."""

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
        first, *rest = self.list_words() or [""]
        return (
            " = ".join([first, *rest])
            if self.two_way
            else f"{first} → {'、'.join(rest)}"
        )

    def list_words(self) -> list[str]:
        """Return the members as they were typed, those that are not blank."""
        return [
            w
            for line in self.members.splitlines()
            if (w := normalize.clean_single_line(line))
        ]

    def clean(self) -> None:
        self.topic = normalize.clean_single_line(self.topic)
        words = self.list_words()
        self.members = "\n".join(words)
        if wrong := [told for word in words for told in _find_member_errors(word)]:
            raise ValidationError({"members": wrong})
        different = {_normalize_word(word) for word in words}
        if not MIN_SYNONYMS <= len(different) == len(words) <= MAX_SYNONYMS:
            raise ValidationError({"members": _explain_member_count(words)})
        self._refuse_repetition(words)
        self._refuse_circle(words)

    def _refuse_repetition(self, words: list[str]) -> None:
        """Refuse words that would find each other by another set already.

        One-way, that is the first and any of the rest: these may well stand
        together elsewhere.
        """
        mine = [_normalize_word(word) for word in words]
        others = SynonymSet.objects.filter(two_way=True).exclude(pk=self.pk)
        for members in others.values_list("members", flat=True):
            shared = [w for w in members.splitlines() if _normalize_word(w) in mine]
            if len(shared) > 1 and (
                self.two_way or mine[0] in map(_normalize_word, shared)
            ):
                raise _build_duplicate_error(shared, SynonymSet(members=members))

    def _refuse_circle(self, words: list[str]) -> None:
        """Refuse one-way sets that lead back: then none of them is one-way.

        Nor may two of them lead the same way.
        """
        if self.two_way:
            return
        ways: dict[str, list[str]] = {}
        others = SynonymSet.objects.filter(two_way=False).exclude(pk=self.pk)
        first, *rest = map(_normalize_word, words)
        for members in others.values_list("members", flat=True):
            start, *ends = map(_normalize_word, members.splitlines() or [""])
            if start == first and (twice := set(rest).intersection(ends)):
                other = SynonymSet(members=members, two_way=False)
                raise _build_duplicate_error([start, *sorted(twice)], other)
            ways.setdefault(start, []).extend(ends)
        trail = [[first, one] for one in rest]
        seen = set(rest)
        while trail:
            way = trail.pop()
            for following in ways.get(way[-1], ()):
                if following == first:
                    shown = " → ".join([*way, first])
                    told = f"绕回来了：{shown}。要互相找到，请合成一组并勾选“互相都能找到”。"
                    raise ValidationError({"members": told})
                if following not in seen:
                    seen.add(following)
                    trail.append([*way, following])


class DictionaryWord(AtomicSaveMixin):
    """A word that the stock dictionary cuts in pieces, or does not know."""

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
            models.CheckConstraint(condition=~Q(text=""), name="kb_word_has_text")
        ]

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        self.text = _normalize_word(self.text)
        if not re.fullmatch(f"[{HAN_CHARACTER_CLASS}]{{2,}}", self.text):
            told = "词典里的词至少两个汉字，中间没有空格、字母、数字和标点。"
            raise ValidationError({"text": told})


class StopWord(AtomicSaveMixin):
    """A word that says nothing about what is searched for."""

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
        for row in SynonymSet.objects.filter(members__icontains=self.text):
            if self.text in map(_normalize_word, row.list_words()):
                told = f"“{self.text}”在同义词里：{row}。停用以后那一组就不起作用了。"
                raise ValidationError({"text": told})


@lru_cache(maxsize=10_000)  # one set is compared with all the others
def _normalize_word(word: str) -> str:
    return normalize.normalize_text(normalize.clean_single_line(word)).strip()


def _build_duplicate_error(shared: list[str], other: SynonymSet) -> ValidationError:
    told = f"“{'”“'.join(shared)}”已经在另一组里：{other}。请直接修改那一组。"
    return ValidationError({"members": told})


def _find_member_errors(word: str) -> list[str]:
    """Return what is wrong with one member, in words; nothing when it is right."""
    if re.search("[、，,；;|｜]", word):
        return [f"“{word[:MAX_WORD_CHARS]}”：一行只写一个词，不用标点隔开。"]
    if len(word) > MAX_WORD_CHARS:
        return [f"“{word[:MAX_WORD_CHARS]}…”太长，一个词最多 {MAX_WORD_CHARS} 个字。"]
    if not tokenizer.tokenize_text(word):
        return [f"“{word}”里没有可以搜索的字。"]
    return []


def _explain_member_count(words: list[str]) -> str:
    if len(words) > MAX_SYNONYMS:
        return f"一组最多 {MAX_SYNONYMS} 个词。"
    for one, other in combinations(words, 2):
        if _normalize_word(one) == _normalize_word(other):
            return f"“{one}”和“{other}”在搜索时是同一个词，只留一个。"
    return "至少写两个不同的词，一行一个。"
