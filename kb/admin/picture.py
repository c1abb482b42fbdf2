"""图片: pictures of answers; uploaded here or by the editor's script, never changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from kb.admin.base_admin import format_local_time
from kb.admin.scoped_admin import ScopedAdmin, ScopedForm
from kb.library import pictures
from kb.models import Picture
from kb.models.picture import MAX_ALT_TEXT_CHARS


class PictureUploadForm(forms.Form):
    """What the editor's script posts; errors come from the stage."""

    file = forms.FileField(
        label="图片", error_messages={"required": "没有收到图片。"}, max_length=None
    )
    alt = forms.CharField(label="替代文字", required=False)

    def store_upload(self, by: Any) -> Picture | None:
        """Return the stored picture, or None where the form has errors."""
        if not self.is_valid():
            return None
        values = self.cleaned_data
        try:
            return pictures.store_picture(values["file"], alt=values["alt"], by=by)
        except ValidationError as error:
            self.add_error(None, ValidationError(error.messages))
        return None

    def get_error_text(self) -> str:
        return " ".join(
            str(error) for errors in self.errors.values() for error in errors
        )


class PictureForm(ScopedForm):
    """The upload without a script; afterwards a page shows what to paste."""

    file = forms.FileField(
        label="图片",
        help_text=f"PNG、JPEG、GIF（只留第一帧）或 WebP，最大 {settings.KB_PICTURE_MB} MB。",
        widget=forms.ClearableFileInput({"accept": "image/*"}),
        error_messages={"empty": "这个文件是空的。"},
    )

    class Meta:
        model = Picture
        fields = ["alt"]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.instance.pk is None and {"file", "alt"} <= values.keys():
            try:
                self.instance = pictures.store_picture(
                    values["file"], alt=values["alt"], by=None
                )
            except ValidationError as error:
                self.add_error(None, ValidationError(error.messages))
        return values

    def _post_clean(self) -> None:
        if self.instance.pk and "file" in self.fields:
            return  # `clean` has stored it, and a stored picture does not change
        super()._post_clean()


@admin.register(Picture)
class PictureAdmin(ScopedAdmin):
    form = PictureForm
    list_display = [
        "thumbnail_image",
        "alt",
        "size_summary",
        "created_by",
        "upload_time",
    ]
    list_display_links = ["thumbnail_image", "alt"]
    list_select_related = ["created_by"]
    search_fields = ["alt", "name"]
    readonly_fields = [
        "thumbnail_image",
        "markdown_to_paste",
        "size_summary",
        "created_by",
        "created_at",
    ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["alt", *self.readonly_fields] if obj else ["file", "alt"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else []

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is not None:
            kwargs["form"] = ScopedForm
            kwargs["fields"] = ["alt"]
        return super().get_form(request, obj, change, **kwargs)

    def get_urls(self) -> list[Any]:
        upload = self.admin_site.admin_view(require_POST(self.upload_view))
        return [path("upload/", upload, name="kb_picture_upload"), *super().get_urls()]

    def upload_view(self, request: HttpRequest) -> JsonResponse:
        """Store one picture; return {"markdown", "url"}, or {"error"} with status 400."""
        if not self.has_add_permission(request):
            raise PermissionDenied("您没有上传图片的权限。")
        form = PictureUploadForm(request.POST, request.FILES)
        picture = form.store_upload(request.user)
        if picture is None:
            return JsonResponse({"error": form.get_error_text()}, status=400)
        alt = form.cleaned_data["alt"].strip()
        result = {
            "markdown": picture.build_markdown(alt[:MAX_ALT_TEXT_CHARS]),
            "url": picture.url,
        }
        return JsonResponse(result)

    def save_model(
        self, request: HttpRequest, obj: Picture, form: Any, change: bool
    ) -> None:
        if not change and obj.created_by is None:
            obj.created_by = request.user  # type: ignore[assignment]
        obj.save()

    def delete_row(self, request: HttpRequest, row: Picture) -> None:
        pictures.delete_picture(row)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not pictures.count_picture_uses(obj))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out deletion in bulk, which would not check where pictures are used."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def response_add(
        self, request: HttpRequest, obj: Picture, post_url_continue: str | None = None
    ) -> HttpResponse:
        messages.info(request, f"贴到答案里：{obj.build_markdown()}")
        return super().response_add(request, obj, post_url_continue)

    @admin.display(description="图片")
    def thumbnail_image(self, picture: Picture) -> SafeString:
        return format_html(
            '<img class="thumbnail" src="{}" alt="{}" width="{}" height="{}" loading="lazy">',
            picture.url,
            picture.alt,
            picture.width,
            picture.height,
        )

    @admin.display(description="贴到答案里")
    def markdown_to_paste(self, picture: Picture) -> SafeString:
        return format_html("<code>{}</code>", picture.build_markdown())

    @admin.display(description="大小")
    def size_summary(self, picture: Picture) -> str:
        if not pictures.is_picture_file_intact(picture):
            return "文件损坏或丢失：请把原图再上传一次"
        size = max(1, picture.size // 1024)
        return f"{picture.width} × {picture.height}，{size} KB"

    @admin.display(description="上传时间", ordering="created_at")
    def upload_time(self, picture: Picture) -> str:
        return format_local_time(picture.created_at)
