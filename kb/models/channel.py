"""The channels on which customers and agents talk."""

from __future__ import annotations

from django.db import models


class Channel(models.TextChoices):
    """A channel on which customers and agents talk."""

    WEB = "web", "网页"
    APP = "app", "App"
    WECHAT = "wechat", "微信"
    QIANNIU = "qianniu", "千牛"
    PHONE = "phone", "电话"
    EMAIL = "email", "邮件"
    SMS = "sms", "短信"
    OTHER = "other", "其他"
