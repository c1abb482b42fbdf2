"""站点: sites that show the library, or part of it, under a name and a host."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest
from django.http.request import validate_host

from kb.admin.gated_admin import GatedAdmin, GatedForm
from kb.models import Site

HOST_NOT_ALLOWED_MESSAGE = "ALLOWED_HOSTS 里还没有 {}，打开会是 400；请部署的人加上。"


class SiteForm(GatedForm):
    """A site, with a placeholder for its colour."""

    class Meta:
        model = Site
        fields: list[str] = []  # the admin names them
        widgets = {"accent": forms.TextInput({"size": 8, "placeholder": "#2a56ac"})}


@admin.register(Site)
class SiteAdmin(GatedAdmin):
    form = SiteForm
    list_display = ["display_name", "host_label", "accent_label", "category_names"]
    list_display_links = ["display_name"]
    sortable_by = ()
    search_fields = ["name", "host"]
    fields = ["name", "host", "logo", "accent", "contact", "categories"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The default site stays: it answers for hosts that no other site has."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or bool(obj.host))

    def save_model(self, request: HttpRequest, obj: Site, *args: Any) -> None:
        super().save_model(request, obj, *args)
        if obj.host and not validate_host(obj.host, settings.ALLOWED_HOSTS):
            messages.warning(request, HOST_NOT_ALLOWED_MESSAGE.format(obj.host))

    @admin.display(description="名称")
    def display_name(self, site: Site) -> str:
        return str(site)

    @admin.display(description="域名")
    def host_label(self, site: Site) -> str:
        return site.host or "其他所有域名（默认）"

    @admin.display(description="主色")
    def accent_label(self, site: Site) -> str:
        return site.accent or "默认"

    @admin.display(description="显示")
    def category_names(self, site: Site) -> str:
        names = [str(category) for category in site.categories.all()]
        return "、".join(names) or "全部分类"
