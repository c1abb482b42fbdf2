"""Fields that normalize line ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.db import models

from kb.text.chinese import normalize

if TYPE_CHECKING:
    TextField = models.TextField[str, str]
else:
    TextField = models.TextField


class ProseFormField(forms.CharField):
    """Reads CR LF, which browsers send, as LF, so that an unchanged text stays equal."""

    def to_python(self, value: Any) -> str:
        return normalize.unify_line_ends(super().to_python(value) or "")


class ProseField(TextField):
    """A text of several lines that are stored with LF as line end.

    This is the only place where line ends are unified: forms, imports, `save`,
    `bulk_create` and `update` all write through the field. Migrations contain a
    plain TextField, because the column is one.
    """

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return normalize.unify_line_ends(text) if isinstance(text, str) else text

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return normalize.unify_line_ends(text) if isinstance(text, str) else text

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Give the instance the same value that the database gets."""
        value = self.to_python(super().pre_save(model_instance, add))
        if isinstance(value, str):
            setattr(model_instance, self.attname, value)
        return value

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": ProseFormField, **kwargs})

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs
