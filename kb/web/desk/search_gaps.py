"""搜索缺口: one gap at a time, until a search for it is verified to find an entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from kb.index.engines import EngineUnavailableError
from kb.library import entries
from kb.models import Entry, Review, SearchGap
from kb.quality import search_gaps as stage
from kb.web.desk import UNDO_WINDOW
from kb.web.desk.access import StaffRequest, editor_required
from kb.web.desk.forms import DeclineForm, SingleLineField, get_error_code, parse_id
from kb.web.desk.similar_entries import (
    SimilarEntries,
    find_similar_entries,
    list_personal_data_kinds,
)

MAX_LISTED_GAPS = 40
Status = SearchGap.Status
GAP_TABS = (Status.OPEN, Status.VERIFYING, Status.CLOSED, Status.DECLINED)


class DeclineGapForm(DeclineForm):
    """Why a gap is not one to fill."""

    REASON_NAMES = (
        "不是我们的业务",
        "打错或试搜",
        "已有条目，不必再改",
        "涉及隐私",
        "其他",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason = self.fields["reason"]
        assert isinstance(reason, forms.ChoiceField)  # noqa: S101 - for the type
        reason.choices = [(name, name) for name in self.REASON_NAMES]


class SynonymForm(forms.Form):
    """A word that people search for, and the word of an entry that means the same."""

    said = SingleLineField(label="搜索时说", help_text="搜索的话里的一个词。")
    written = SingleLineField(label="条目里写", help_text="条目里意思相同的词。")
    entry = forms.TypedChoiceField(label="应该找到", coerce=int)

    use_required_attribute = False

    def __init__(self, candidates: list[Entry], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        entry = self.fields["entry"]
        assert isinstance(entry, forms.ChoiceField)  # noqa: S101 - for the type
        entry.choices = [(row.pk, row.question) for row in candidates]


@editor_required
@require_safe
def show_gaps(request: StaffRequest) -> HttpResponse:
    """Show the gap of the address, or the first of the list."""
    return _render_gap_page(request, _find_chosen_gap(request))


@editor_required
@require_POST
def settle_gap(request: StaffRequest, pk: int) -> HttpResponse:
    """Carry out one action on a gap; where it may close the gap, verify it at once."""
    gap = stage.find_gap(pk)
    action = GAP_ACTIONS.get(request.POST.get("do", ""))
    if gap is None or action is None:
        messages.warning(request, stage.GAP_HANDLED_MESSAGE)
        return redirect(_make_gaps_url(request))
    try:
        return action(request, gap)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(_make_gaps_url(request, gap=pk))


# Actions ---------------------------------------------------------------------------


def _look_for_entries(request: StaffRequest, gap: SearchGap) -> HttpResponse:
    words = SingleLineField().clean(request.POST.get("q", " ")) or ""
    typed = _read_typed_phrasing(request, gap)
    phrasing = "" if typed == entries.suggest_phrasing(gap.words) else typed
    return redirect(_make_gaps_url(request, gap=gap.pk, q=words, phrasing=phrasing))


def _draft_entry(request: StaffRequest, gap: SearchGap) -> HttpResponse:
    entry = stage.draft_entry_for_gap(gap, by=request.user)
    messages.success(request, "已建好草稿。写好答案发布以后，会自动再搜一遍来验证。")
    return redirect("admin:kb_entry_change", entry.pk)


def _add_phrasing(request: StaffRequest, gap: SearchGap) -> HttpResponse:
    entry = _get_chosen_entry(request)
    words = _read_typed_phrasing(request, gap)
    try:
        gap, outcome = stage.add_phrasing_for_gap(
            gap, entry, by=request.user, words=words
        )
    except ValidationError as error:
        if get_error_code(error) == "conflict":
            raise
        return _render_gap_page(
            request, gap, phrasing=words, phrasing_errors=error.messages
        )
    if isinstance(outcome, Review):
        message = f"「{words}」已作为「{entry}」的相似问法提交审核，通过以后自动验证。"
        messages.success(request, message)
        return redirect(_make_gaps_url(request))
    return _verify_gap(request, gap, f"「{words}」已收为「{entry}」的相似问法")


def _read_typed_phrasing(request: StaffRequest, gap: SearchGap) -> str:
    """Return the phrasing as the editor typed it, or else the suggested one."""
    query = request.POST if request.method == "POST" else request.GET
    if (typed := query.get("phrasing")) is None:
        return entries.suggest_phrasing(gap.words)
    return SingleLineField(required=False).clean(typed) or ""


def _add_synonym(request: StaffRequest, gap: SearchGap) -> HttpResponse:
    candidates = list(_find_gap_entries(request, gap).entries)
    form = SynonymForm(candidates, request.POST)
    if not form.is_valid():
        return _render_gap_page(request, gap, synonym=form)
    values = form.cleaned_data
    said, written = values["said"], values["written"]
    entry = next(row for row in candidates if row.pk == values["entry"])
    try:
        gap = stage.add_synonym_for_gap(
            gap, entry, searched_word=said, entry_word=written, by=request.user
        )
    except ValidationError as error:
        form.add_error(None, error.messages)
        return _render_gap_page(request, gap, synonym=form)
    return _verify_gap(request, gap, f"搜「{said}」也会找写着「{written}」的条目")


def _decline_gap(request: StaffRequest, gap: SearchGap) -> HttpResponse:
    form = DeclineGapForm(request.POST)
    if not form.is_valid():
        return _render_gap_page(request, gap, decline=form)
    stage.decline_gap(gap, reason=form.get_written_reason(), by=request.user)
    messages.success(request, f"「{gap}」以后不再出现。")
    return redirect(_make_gaps_url(request))


def _reopen_gap(request: StaffRequest, gap: SearchGap) -> HttpResponse:
    stage.reopen_gap(gap, by=request.user)
    messages.success(request, f"「{gap}」回到待处理。已加的问法、同义词和草稿都还在。")
    return redirect(_make_gaps_url(request, status="", gap=gap.pk))


def _check_again(request: StaffRequest, gap: SearchGap) -> HttpResponse:
    return _verify_gap(request, gap, f"又搜了一遍「{gap.words}」")


GAP_ACTIONS: dict[str, Callable[[StaffRequest, SearchGap], HttpResponse]] = {
    "look": _look_for_entries,
    "draft": _draft_entry,
    "phrasing": _add_phrasing,
    "synonym": _add_synonym,
    "decline": _decline_gap,
    "reopen": _reopen_gap,
    "prove": _check_again,
}


def _verify_gap(request: StaffRequest, gap: SearchGap, change: str) -> HttpResponse:
    """Search again; the message says what was changed and what the search found."""
    try:
        gap = stage.verify_gap(gap)
    except EngineUnavailableError:
        messages.warning(request, f"{change}。搜索引擎暂时不可用，稍后自动验证。")
        return redirect(_make_gaps_url(request))
    rank = f"排第 {gap.rank} 名" if gap.rank else "还没有找到它"
    if gap.status == Status.CLOSED:
        messages.success(request, f"{change}。验证通过：{rank}。")
    else:
        is_live = gap.entry and gap.entry.status == Entry.Status.PUBLISHED
        why = "" if is_live else "（条目还没有发布）"
        messages.warning(
            request,
            f"{change}。待验证：{rank}{why}，要在前 {stage.MAX_VERIFIED_RANK} 名。",
        )
    return redirect(_make_gaps_url(request))


def _get_chosen_entry(request: StaffRequest) -> Entry:
    """Return the entry of the button; raises ValidationError where it is gone."""
    pk = parse_id(request.POST.get("entry", ""))
    entry = entries.find_entry(pk, user=request.user) if pk else None
    if entry is None:
        raise ValidationError("这个条目已经不在了，请另选一个。")
    return entry


# Pages ------------------------------------------------------------------------------


def _read_status_tab(request: StaffRequest) -> str:
    status = request.GET.get("status", "")
    return status if status in GAP_TABS else str(Status.OPEN)


def _find_chosen_gap(request: StaffRequest) -> SearchGap | None:
    """Return the gap of the address, or the first of the list."""
    pk = parse_id(request.GET.get("gap", ""))
    gap = stage.find_gap(pk) if pk else None
    if gap is not None:
        return gap
    rows = stage.list_gaps(_read_status_tab(request), side=request.GET.get("side", ""))
    return rows.select_related("entry", "by").first()


def _find_gap_entries(request: StaffRequest, gap: SearchGap) -> SimilarEntries:
    """Return entries similar to the words of ?q=, or else to those of the gap."""
    typed = SingleLineField(required=False).clean(request.GET.get("q", ""))
    return find_similar_entries(typed or gap.words, user=request.user)


def _render_gap_page(
    request: StaffRequest, gap: SearchGap | None, **extra_context: Any
) -> HttpResponse:
    """Show a gap beside its list; `extra_context` comes from a refused form."""
    status, side = _read_status_tab(request), request.GET.get("side", "")
    rows = stage.list_gaps(status, side=side)
    around = list(rows[:MAX_LISTED_GAPS])
    counts = stage.count_gaps()
    context: dict[str, Any] = {
        "gap": gap,
        "around": around,
        "status": status,
        "side": side,
        "tabs": [(tab.value, tab.label, counts.get(tab, 0)) for tab in GAP_TABS],
        "total": rows.count(),
        "undo": stage.find_last_declined_gap(request.user, within=UNDO_WINDOW),
    }
    if gap is not None:
        context |= _make_gap_context(request, gap, around) | extra_context
    http_status = 400 if extra_context else 200
    return render(request, "desk/search_gaps/page.html", context, status=http_status)


def _make_gap_context(
    request: StaffRequest, gap: SearchGap, around: list[SearchGap]
) -> dict[str, Any]:
    index = around.index(gap) if gap in around else -1
    similar = _find_gap_entries(request, gap)
    suggested = entries.suggest_phrasing(gap.words)
    return {
        "figures": stage.get_gap_figures([gap])[gap.pk],
        "next": around[index + 1] if -1 < index + 1 < len(around) else None,
        "previous": around[index - 1] if index > 0 else None,
        "similar": similar,
        "words": SingleLineField(required=False).clean(request.GET.get("q", "")),
        "synonym": SynonymForm(list(similar.entries), initial={"said": suggested}),
        "decline": DeclineGapForm(),
        "phrasing": _read_typed_phrasing(request, gap),
        "personal": list_personal_data_kinds(gap.words),
    }


def _make_gaps_url(request: StaffRequest, **parameters: Any) -> str:
    """Return the page with the filter that is on, and `parameters` in the address."""
    filters = {name: request.GET.get(name, "") for name in ("status", "side")}
    query = {name: value for name, value in {**filters, **parameters}.items() if value}
    return f"{reverse('desk:gaps')}?{urlencode(query)}".rstrip("?")
