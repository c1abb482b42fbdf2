"""Counters of login attempts. Only kb.accounts.login_throttle writes them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class LoginCounter(models.Model):
    """The recent attempts of an address, of an account, or of both; keys are hashes."""

    key = models.CharField(max_length=64, primary_key=True)
    # [[id, seconds since the epoch, whether the password was wrong], …]
    attempts = models.JSONField(default=list)
    updated_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name = "登录计数"
        verbose_name_plural = "登录计数"

    def __str__(self) -> str:
        return self.key
