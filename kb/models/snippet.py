"""Snippets (片段): texts that several replies include by name."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q

from kb.models.fields import ProseField
from kb.text.chinese import normalize
from kb.text.placeholders import snippets


class SnippetQuerySet(models.QuerySet["Snippet"]):
    def bodies_by_name(self) -> dict[str, str]:
        """Return {name: body}."""
        return dict(self.values_list("name", "body"))


class Snippet(models.Model):
    """{{> name}} in a reply, or in another snippet, is replaced by `body`."""

    name = models.CharField(
        "名称",
        max_length=snippets.MAX_SNIPPET_NAME_CHARS,
        unique=True,
        help_text="话术里写 {{> 名称}} 就会换成下面的内容。",
    )
    body = ProseField(
        "内容",
        validators=[MaxLengthValidator(4000)],
        help_text="纯文本，可以有 {{订单号}} 这样的空，也可以再用 {{> 别的片段}}。",
    )
    updated_at = models.DateTimeField("更新时间", auto_now=True)

    objects = SnippetQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = "片段"
        verbose_name_plural = "片段"
        constraints = [
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(body=""), name="kb_snippet_has_body"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse names that cannot be included, unknown snippets, and cycles."""
        self.name = normalize.clean_single_line(self.name)
        self.body = normalize.clean_text(self.body).strip()
        if not snippets.is_snippet_name(self.name):
            raise ValidationError({"name": "名称里不能有 { } | >。"})
        bodies = Snippet.objects.exclude(pk=self.pk).bodies_by_name() | {
            self.name: self.body
        }
        expand_includes(self.body, bodies, "body")
        if cycle := snippets.find_include_cycle(self.name, bodies):
            raise ValidationError(
                {"body": f"片段互相套住了，没有尽头：{' → '.join(cycle)}。"}
            )


def expand_includes(body: str, bodies: Mapping[str, str], field: str) -> str:
    """Return `body` with its snippets expanded, from {name: body}.

    Raises ValidationError for `field` if a snippet is unknown or the text too long.
    """
    if unknown := [
        name for name in snippets.list_included_snippets(body) if name not in bodies
    ]:
        raise ValidationError({field: f"没有叫「{unknown[0] or '（空）'}」的片段。"})
    try:
        return snippets.expand_snippets(body, bodies)
    except snippets.ExpansionTooLongError:
        max_chars = f"{snippets.MAX_EXPANDED_CHARS:,}"
        raise ValidationError(
            {field: f"连同用到的片段超过了 {max_chars} 字，请拆短。"}
        ) from None
