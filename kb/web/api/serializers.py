"""Serializers of the API: every field that is sent is declared here.

The context has `request`; of entries also `category_tree`, of results `terms`.
Serializers have no docstrings: the schema would show them to integrators.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.helpers import lazy_serializer
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request

from kb.index.autocomplete import Suggestion
from kb.models import Channel, Entry, Reply, Validity
from kb.publishing.category_tree import ReadableCategoryTree
from kb.text.markup.passage import Passage, find_best_passage, find_first_passage
from kb.text.placeholders import blanks


class CategoryRefSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class CategoryNodeSerializer(CategoryRefSerializer):
    count = serializers.IntegerField(help_text="本分类及下级里公开条目的数量。")
    children = serializers.SerializerMethodField()

    @extend_schema_field(
        lazy_serializer("kb.web.api.serializers.CategoryNodeSerializer")(many=True)
    )
    def get_children(self, node: dict[str, Any]) -> Any:
        return CategoryNodeSerializer(node["children"], many=True).data


class CategoryTreeSerializer(serializers.Serializer[Any]):
    results = CategoryNodeSerializer(many=True)


class EntryItemSerializer(serializers.Serializer[Entry]):
    id = serializers.IntegerField()
    question = serializers.CharField()
    excerpt = serializers.CharField(help_text="答案的开头，纯文本。")
    category = serializers.SerializerMethodField(help_text="从顶级到所在分类的路径。")
    tags = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    updated_at = serializers.DateTimeField()

    @extend_schema_field(CategoryRefSerializer(many=True))
    def get_category(self, entry: Entry) -> list[dict[str, Any]]:
        tree: ReadableCategoryTree = self.context["category_tree"]
        path = tree.get_path(entry.category_id)
        return [{"id": category.pk, "name": category.name} for category in path]

    def get_tags(self, entry: Entry) -> list[str]:
        return [tag.name for tag in entry.tags.all()]

    @extend_schema_field(serializers.URLField)
    def get_url(self, entry: Entry) -> str:
        return build_entry_url(self, entry)


class PassageItemSerializer(serializers.Serializer[Passage]):
    text = serializers.CharField(help_text="纯文本，一行；前后有省略时带“…”。")
    marks = serializers.ListField(
        child=serializers.ListField(
            child=serializers.IntegerField(), min_length=2, max_length=2
        ),
        help_text="text 里与查询相符的片段 [起, 止)，按 Unicode 码点数。",
    )


@extend_schema_serializer(component_name="FoundItem")
class ResultItemSerializer(EntryItemSerializer):
    passage = serializers.SerializerMethodField(
        help_text="答案里最切题的一段；都不相符时是开头。"
    )

    @extend_schema_field(PassageItemSerializer)
    def get_passage(self, entry: Entry) -> Any:
        return PassageItemSerializer(
            find_best_passage(entry.answer_text, self.context["terms"])
        ).data


class EntryDetailSerializer(EntryItemSerializer):
    answer_html = serializers.CharField(help_text="答案，已净化，可以直接放进页面。")


class EntryPageSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField(help_text="一共几条。")
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    results = EntryItemSerializer(many=True)


class SearchPageSerializer(EntryPageSerializer):
    results = ResultItemSerializer(many=True)
    near = EntryItemSerializer(
        many=True, help_text="没有找到时，最接近的几条；不是答案，要分开显示。"
    )
    meant = serializers.CharField(
        help_text="没有这样写的条目时，可能要找的写法（退宽 → 退款）；否则为空。"
    )
    q = serializers.CharField(help_text="实际用来搜索的文字。")
    degraded = serializers.BooleanField(
        help_text="搜索引擎不可用，只按标题匹配，结果可能不完整。"
    )


class SuggestionItemSerializer(serializers.Serializer[Suggestion]):
    id = serializers.IntegerField(source="entry.id")
    question = serializers.CharField(source="entry.question")
    text = serializers.CharField(help_text="与输入相符的标准问题或相似问法。")
    url = serializers.SerializerMethodField()

    @extend_schema_field(serializers.URLField)
    def get_url(self, suggestion: Suggestion) -> str:
        return build_entry_url(self, suggestion.entry)


class SuggestionsSerializer(serializers.Serializer[Any]):
    q = serializers.CharField(help_text="实际用来匹配的文字。")
    results = SuggestionItemSerializer(many=True)


class RefusalSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField(help_text="一句话说明原因。")


# For agents only -------------------------------------------------------------


class ReplyItemSerializer(serializers.Serializer[Reply]):
    label = serializers.CharField()  # type: ignore[assignment]
    channel = serializers.ChoiceField(
        Channel.choices, allow_blank=True, help_text="适用渠道；空表示通用。"
    )
    body = serializers.CharField(
        source="text", help_text="话术原文，片段已展开，待填处写作 {{名称}}。"
    )
    tone = serializers.ChoiceField(Reply.Tone.choices, help_text="语气。")
    segment = serializers.StringRelatedField(  # type: ignore[var-annotated]
        help_text="适用的客户类型；空表示通用。"
    )
    kept_by = serializers.SerializerMethodField(
        help_text="shared 大家共用，team 本团队的，personal 只有自己看得到。"
    )

    @extend_schema_field(serializers.ChoiceField(["shared", "team", "personal"]))
    def get_kept_by(self, reply: Reply) -> str:
        return "personal" if reply.owner_id else "team" if reply.team_id else "shared"

    blanks = serializers.SerializerMethodField(help_text="待填处的名称，按出现次序。")

    def get_blanks(self, reply: Reply) -> list[str]:
        return blanks.list_blank_names(reply.text)


class AgentEntryItemSerializer(EntryItemSerializer):
    status = serializers.ChoiceField(Entry.Status.choices)
    audience = serializers.ChoiceField(Entry.Audience.choices)
    replies = ReplyItemSerializer(many=True)
    valid_from = serializers.DateTimeField(help_text="生效时间；空表示一直有效。")
    valid_until = serializers.DateTimeField(help_text="失效时间；空表示一直有效。")
    validity = serializers.ChoiceField(
        Validity.choices, help_text="over 已过期的和 later 未生效的，不要发给客户。"
    )


class AgentEntryDetailSerializer(AgentEntryItemSerializer, EntryDetailSerializer):
    pass


@extend_schema_serializer(component_name="AgentFoundItem")
class AgentResultItemSerializer(AgentEntryItemSerializer, ResultItemSerializer):
    passage = serializers.SerializerMethodField(
        help_text="话术或答案里最切题的一段；都不相符时是开头。"
    )

    @extend_schema_field(PassageItemSerializer)
    def get_passage(self, entry: Entry) -> Any:
        bodies = (blanks.render_unfilled(reply.text) for reply in entry.replies.all())
        return PassageItemSerializer(
            find_first_passage((*bodies, entry.answer_text), self.context["terms"])
        ).data


class AgentSearchPageSerializer(SearchPageSerializer):
    near = AgentEntryItemSerializer(many=True, help_text="没有找到时，最接近的几条。")
    results = AgentResultItemSerializer(many=True)


def build_entry_url(serializer: serializers.BaseSerializer[Any], entry: Entry) -> str:
    request: Request = serializer.context["request"]
    return request.build_absolute_uri(entry.get_absolute_url())
