"""The permissions of a group, as checkboxes in one line for each model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin import AdminSite
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.forms.models import ModelChoiceIterator

from kb.accounts.roles import ROLES
from kb.admin.base_admin import ModelForm
from kb.models import Phrasing, Reply

if TYPE_CHECKING:
    ModelChoiceIteratorBase = ModelChoiceIterator[Permission]
    PermissionsFieldBase = forms.ModelMultipleChoiceField[Permission]
else:
    ModelChoiceIteratorBase, PermissionsFieldBase = (
        ModelChoiceIterator,
        forms.ModelMultipleChoiceField,
    )
ACTION_LABELS = {"view": "查看", "add": "新增", "change": "修改", "delete": "删除"}
FIXED_GROUP_HELP = (
    "这是系统自带的组，权限由系统规定，不能改。要别的权限，请另建一个组。"
)
INLINE_MODELS = [Reply, Phrasing]  # edited on the page of their entry


def query_assignable_permissions(site: AdminSite) -> QuerySet[Permission]:
    """Return the permissions that the application checks, ordered by their model."""
    models = [*site._registry, *INLINE_MODELS]
    content_types = ContentType.objects.get_for_models(*models).values()
    of_models = Q(content_type__in=list(content_types))
    own = Q(content_type__app_label="kb") & ~Q(
        codename__regex=f"^({'|'.join(ACTION_LABELS)})_"
    )
    rows = Permission.objects.filter(of_models | own).select_related("content_type")
    return rows.order_by("content_type", "pk")


class PermissionsByModelIterator(ModelChoiceIteratorBase):
    """The choices, grouped by the model that they are for."""

    def __iter__(self) -> Iterator[Any]:
        for content_type, rows in groupby(
            self.queryset, key=lambda row: row.content_type
        ):
            model = content_type.model_class()
            name = str(model._meta.verbose_name if model else content_type.model)
            yield name, [self.choice(row) for row in rows]


class PermissionsField(PermissionsFieldBase):
    """Checkboxes, a line of them for each model."""

    widget = forms.CheckboxSelectMultiple
    iterator = PermissionsByModelIterator

    def label_from_instance(self, obj: Any) -> str:
        action, _, _ = obj.codename.partition("_")
        return (
            ACTION_LABELS.get(action, "")
            if obj.name.startswith("Can ")
            else str(obj.name)
        )


class GroupForm(ModelForm):
    """A group; permissions that the form does not show stay.

    The groups of kb.accounts.roles are read-only: post_migrate would give them the
    permissions of that table again.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk and self.instance.name in ROLES:
            for name in ("name", "permissions"):
                self.fields[name].disabled = True
            field: Any = self.fields["permissions"]
            field.help_text = FIXED_GROUP_HELP
            self.initial["permissions"] = field.queryset.filter(group=self.instance)

    def clean_permissions(self) -> Iterable[Permission]:
        selected = list(self.cleaned_data["permissions"])
        if not self.instance.pk:
            return selected
        if self.fields["permissions"].disabled:
            return list(self.instance.permissions.all())
        field: Any = self.fields["permissions"]
        shown = field.queryset.order_by().values("pk")
        return [*selected, *self.instance.permissions.exclude(pk__in=shown)]
