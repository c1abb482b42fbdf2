"""Teams: users who share replies that other teams do not see."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from kb.text.chinese import normalize


class Team(models.Model):
    name = models.CharField("名称", max_length=30, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "团队"
        verbose_name_plural = "团队"
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="kb_team_has_name")
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.name = normalize.clean_single_line(self.name)
