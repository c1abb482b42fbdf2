"""The texts that an agent puts around every reply: name, greeting, closing, signature."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from kb.models.channel import Channel
from kb.text.chinese import normalize
from kb.text.placeholders import blanks

BLANK_AGENT_NAME, BLANK_GREETING, BLANK_CLOSING, BLANK_SIGNATURE = (
    "客服昵称",
    "问候语",
    "结束语",
    "签名",
)
# Blanks {{…}} that are filled from the profile, never typed.
RESERVED_BLANK_NAMES = (
    BLANK_AGENT_NAME,
    "客服姓名",
    BLANK_GREETING,
    BLANK_CLOSING,
    BLANK_SIGNATURE,
)


class AgentProfile(models.Model):
    """The personal texts of one agent. An agent without a row has none."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="agent_profile"
    )
    shown_name = models.CharField(
        BLANK_AGENT_NAME,
        max_length=20,
        blank=True,
        help_text="顾客看到的名字，填进话术里的 {{客服昵称}}。",
    )
    greeting = models.CharField(
        BLANK_GREETING,
        max_length=200,
        blank=True,
        help_text="组合话术的开头，比如：{{客户称呼=亲}}，您好！",
    )
    closing = models.CharField(
        BLANK_CLOSING, max_length=200, blank=True, help_text="组合话术的结尾。"
    )
    signature = models.CharField(
        BLANK_SIGNATURE, max_length=100, blank=True, help_text="跟在结束语后面。"
    )
    channel = models.CharField(
        "默认渠道",
        max_length=10,
        choices=Channel,
        blank=True,
        help_text="打开话术台时先选这个渠道，字数也按它算。",
    )

    class Meta:
        verbose_name = "客服设置"
        verbose_name_plural = "客服设置"

    def __str__(self) -> str:
        return f"{self.user}的设置"

    def clean(self) -> None:
        errors: dict[str, list[str]] = {}
        for name in ("shown_name", "greeting", "closing", "signature"):
            text = normalize.clean_single_line(getattr(self, name))
            setattr(self, name, text)
            if faults := blanks.describe_blank_faults(text) + _find_forbidden_blanks(
                text, name
            ):
                errors[name] = faults
        if errors:
            raise ValidationError(errors)

    @property
    def blank_values(self) -> dict[str, str]:
        """Return {name of a reserved blank: text}, without those that are empty."""
        texts = {
            BLANK_AGENT_NAME: self.shown_name,
            "客服姓名": self.shown_name,
            BLANK_GREETING: self.greeting,
            BLANK_CLOSING: self.closing,
            BLANK_SIGNATURE: self.signature,
        }
        return {name: text for name, text in texts.items() if text}


def _find_forbidden_blanks(text: str, column: str) -> list[str]:
    """Return error messages for blanks that `text` of `column` must not contain.

    A profile cannot fill its own blanks; only the agent's name may be used in the
    other texts, and the name itself has no blanks.
    """
    names = blanks.list_blank_names(text)
    if column == "shown_name" and names:
        return ["昵称里不能有要填的空。"]
    nested = [
        name
        for name in names
        if name in RESERVED_BLANK_NAMES and name != BLANK_AGENT_NAME
    ]
    return [f"这里不能用 {{{{{name}}}}}。" for name in nested]
