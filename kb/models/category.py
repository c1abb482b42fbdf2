"""The tree of categories."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.text import slugify
from tree_queries.fields import TreeNodeForeignKey
from tree_queries.models import OrderableTreeNode

from kb.models.traditional_name import build_traditional_name_field, convert_saved_name
from kb.system.page_urls import build_page_url
from kb.text.chinese import normalize

MAX_CATEGORY_LEVELS = 5  # readers do not browse deeper trees


@lru_cache(maxsize=1000)  # a home page needs some sixty
def make_slug(words: str) -> str:
    """Return a readable address ending of at most 60 characters, maybe empty."""
    return slugify(normalize.clean_text(words), allow_unicode=True)[:60].strip("-_")


class Category(OrderableTreeNode):
    """A place in the tree that customers and agents browse."""

    name = models.CharField("名称", max_length=50)
    own_hant = build_traditional_name_field()
    hant = models.CharField(max_length=60, editable=False, blank=True)
    parent = TreeNodeForeignKey(
        "self",
        verbose_name="上级分类",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
    )

    review_every = models.PositiveSmallIntegerField(
        "复核间隔（天）",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="这里和下级分类的条目，隔这么多天要再看一遍。留空跟上级分类一样。",
    )

    # The stored name, where `translations.translate_names` has replaced `name`.
    simplified_name = ""

    class Meta(OrderableTreeNode.Meta):
        verbose_name = "分类"
        verbose_name_plural = "分类"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(name=""), name="kb_category_has_name"
            ),
            models.UniqueConstraint(
                fields=["parent", "name"],
                name="kb_category_unique_name",
                violation_error_message="同一级下已有同名分类。",
            ),
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(parent=None),
                name="kb_category_unique_top_name",
                violation_error_message="顶级分类里已有同名分类。",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.hant = convert_saved_name(self.name, kwargs)
        super().save(*args, **kwargs)

    @property
    def slug(self) -> str:
        """The readable end of the address, the same in 简体 and 繁體."""
        return make_slug(self.simplified_name or self.name)

    def get_absolute_url(self) -> str:
        if slug := self.slug:
            return build_page_url("faq:category-named", self.pk, slug)
        return build_page_url("faq:category", self.pk)

    def clean(self) -> None:
        super().clean()  # refuses the node itself and its descendants as parent
        self.name = normalize.clean_single_line(self.name)
        self.own_hant = normalize.clean_single_line(self.own_hant)
        levels_above = (
            self.parent.ancestors(include_self=True).count() if self.parent else 0
        )
        if levels_above + self._count_levels() > MAX_CATEGORY_LEVELS:
            raise ValidationError({"parent": f"分类最多 {MAX_CATEGORY_LEVELS} 级。"})

    def _count_levels(self) -> int:
        """Return the number of levels of this subtree, at least 1."""
        if self.pk is None:
            return 1
        subtree = self.descendants(include_self=True).with_tree_fields()
        depths = [node.tree_depth for node in subtree]
        return max(depths, default=0) - min(depths, default=0) + 1
