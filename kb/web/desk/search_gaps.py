"""搜索缺口: what people search for and do not find, one at a time, until it is proved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from kb.index.engines import EngineUnavailableError
from kb.library import entries
from kb.models import Entry, Review, SearchGap, SearchSide
from kb.quality import search_gaps as stage
from kb.web.desk import inbox_queue
from kb.web.desk.draft_entries import editor_required
from kb.web.desk.forms import MAX_ID, DeclineForm, SingleLineField
from kb.web.desk.inbox import StaffRequest, get_error_code

MAX_LISTED_GAPS = 40  # gaps in the list
Status = SearchGap.Status
GAP_TABS = (Status.OPEN, Status.VERIFYING, Status.CLOSED, Status.DECLINED)


class DeclineGapForm(DeclineForm):
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
        reason.choices = [(one, one) for one in self.REASON_NAMES]


class SynonymForm(forms.Form):
    said = SingleLineField(label="搜索时说", help_text="搜索的话里的一个词。")
    written = SingleLineField(label="条目里写", help_text="条目里意思相同的词。")
    entry = forms.TypedChoiceField(label="应该找到", coerce=int)

    use_required_attribute = False

    def __init__(self, found: list[Entry], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        entry = self.fields["entry"]
        assert isinstance(entry, forms.ChoiceField)  # noqa: S101 - for the type
        entry.choices = [(one.pk, one.question) for one in found]


@editor_required
@require_safe
def show_gaps(request: StaffRequest) -> HttpResponse:
    """Show the gap that is asked for, or what is missed most often."""
    return _render_gap_page(request, _find_chosen_gap(request))


@editor_required
@require_POST
def settle_gap(request: StaffRequest, pk: int) -> HttpResponse:
    """Do one thing about a gap, and prove it where that can be done at once."""
    gap = SearchGap.objects.filter(pk=pk).first()
    act = GAP_ACTIONS.get(request.POST.get("do", ""))
    if gap is None or act is None:
        messages.warning(request, stage.GAP_HANDLED_MESSAGE)
        return redirect(_make_gaps_url(request))
    try:
        return act(request, gap)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(_make_gaps_url(request, gap=pk))


# What may be done ------------------------------------------------------------------


def _look_for_entries(request: StaffRequest, gap: SearchGap) -> HttpResponse:
    words = SingleLineField().clean(request.POST.get("q", " ")) or ""
    typed = _read_typed_phrasing(request, gap)
    kept = "" if typed == entries.suggest_phrasing(gap.words) else typed
    return redirect(_make_gaps_url(request, gap=gap.pk, q=words, phrasing=kept))


def _draft_entry(request: StaffRequest, gap: SearchGap) -> HttpResponse:
    entry = stage.draft_entry_for_gap(gap, by=request.user)
    messages.success(request, "已建好草稿。写好答案发布以后，会自动再搜一遍来验证。")
    return redirect("admin:kb_entry_change", entry.pk)


def _add_phrasing(request: StaffRequest, gap: SearchGap) -> HttpResponse:
    entry = _get_chosen_entry(request)
    words = _read_typed_phrasing(request, gap)
    try:
        gap, heard = stage.add_phrasing_for_gap(
            gap, entry, by=request.user, words=words
        )
    except ValidationError as error:
        if get_error_code(error) == "conflict":
            raise
        return _render_gap_page(
            request, gap, phrasing=words, phrasing_errors=error.messages
        )
    if isinstance(heard, Review):
        told = f"「{words}」已作为「{entry}」的相似问法提交审核，通过以后自动验证。"
        messages.success(request, told)
        return redirect(_make_gaps_url(request))
    return _prove_gap(request, gap, f"「{words}」已收为「{entry}」的相似问法")


def _read_typed_phrasing(request: StaffRequest, gap: SearchGap) -> str:
    """Return the phrasing as the editor has written it, or else as it is offered."""
    sent = request.POST if request.method == "POST" else request.GET
    if (typed := sent.get("phrasing")) is None:
        return entries.suggest_phrasing(gap.words)
    return SingleLineField(required=False).clean(typed) or ""


def _add_synonym(request: StaffRequest, gap: SearchGap) -> HttpResponse:
    found = list(_find_near_entries(request, gap).entries)
    form = SynonymForm(found, request.POST)
    if not form.is_valid():
        return _render_gap_page(request, gap, synonym=form)
    given = form.cleaned_data
    entry = next(one for one in found if one.pk == given["entry"])
    try:
        gap = stage.add_synonym_for_gap(
            gap,
            entry,
            searched_word=given["said"],
            entry_word=given["written"],
            by=request.user,
        )
    except ValidationError as error:
        form.add_error(None, error.messages)
        return _render_gap_page(request, gap, synonym=form)
    said = f"搜「{given['said']}」也会找写着「{given['written']}」的条目"
    return _prove_gap(request, gap, said)


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
    return _prove_gap(request, gap, f"又搜了一遍「{gap.words}」")


GAP_ACTIONS: dict[str, Callable[[StaffRequest, SearchGap], HttpResponse]] = {
    "look": _look_for_entries,
    "draft": _draft_entry,
    "phrasing": _add_phrasing,
    "synonym": _add_synonym,
    "decline": _decline_gap,
    "reopen": _reopen_gap,
    "prove": _check_again,
}


def _prove_gap(request: StaffRequest, gap: SearchGap, said: str) -> HttpResponse:
    """Search once more, and say what came of it."""
    try:
        gap = stage.verify_gap(gap)
    except EngineUnavailableError:
        messages.warning(request, f"{said}。搜索引擎暂时不可用，稍后自动验证。")
        return redirect(_make_gaps_url(request))
    stands = f"排第 {gap.rank} 名" if gap.rank else "还没有找到它"
    if gap.status == Status.CLOSED:
        messages.success(request, f"{said}。验证通过：{stands}。")
    else:
        live = gap.entry and gap.entry.status == Entry.Status.PUBLISHED
        why = "" if live else "（条目还没有发布）"
        messages.warning(
            request,
            f"{said}。待验证：{stands}{why}，要在前 {stage.MAX_VERIFIED_RANK} 名。",
        )
    return redirect(_make_gaps_url(request))


def _get_chosen_entry(request: StaffRequest) -> Entry:
    sent = request.POST.get("entry", "")
    number = int(sent) if sent.isascii() and sent.isdecimal() else 0
    seen = Entry.objects.visible_to(request.user).filter(pk=min(number, MAX_ID))
    if (entry := seen.first()) is None:
        raise ValidationError("这个条目已经不在了，请另选一个。")
    return entry


# Pages ------------------------------------------------------------------------------


def _read_status_tab(request: StaffRequest) -> str:
    status = request.GET.get("status", "")
    return status if status in GAP_TABS else str(Status.OPEN)


def _select_gaps(request: StaffRequest) -> QuerySet[SearchGap]:
    status, side = _read_status_tab(request), request.GET.get("side", "")
    if status == Status.OPEN:
        rows = SearchGap.objects.needing_attention().order_by(
            "-fell", "-misses", "-last_at", "pk"
        )
    else:
        rows = SearchGap.objects.filter(status=status).order_by("-settled_at", "pk")
    return rows.filter(side=side) if side in SearchSide.values else rows


def _find_chosen_gap(request: StaffRequest) -> SearchGap | None:
    sent = request.GET.get("gap", "")
    number = int(sent) if sent.isascii() and sent.isdecimal() else 0
    found = SearchGap.objects.filter(pk=min(number, MAX_ID))
    related = ("entry", "by")
    chosen = found.select_related(*related).first() if number else None
    return chosen or _select_gaps(request).select_related(*related).first()


def _find_near_entries(
    request: StaffRequest, gap: SearchGap
) -> inbox_queue.SimilarEntries:
    words = SingleLineField(required=False).clean(request.GET.get("q", "")) or gap.words
    return inbox_queue.find_similar_entries(words, user=request.user)


def _render_gap_page(
    request: StaffRequest, gap: SearchGap | None, **bound: Any
) -> HttpResponse:
    listed = _select_gaps(request)
    around = list(listed[:MAX_LISTED_GAPS])
    counts = dict(
        SearchGap.objects.order_by().values_list("status").annotate(n=Count("pk"))
    )
    counts[Status.OPEN] = SearchGap.objects.needing_attention().count()
    context: dict[str, Any] = {
        "gap": gap,
        "around": around,
        "status": _read_status_tab(request),
        "side": request.GET.get("side", ""),
        "tabs": [(tab.value, tab.label, counts.get(tab, 0)) for tab in GAP_TABS],
        "total": listed.count(),
        "last": _find_last_declined(request),
    }
    if gap is not None:
        at = around.index(gap) if gap in around else -1
        near, offered = (
            _find_near_entries(request, gap),
            entries.suggest_phrasing(gap.words),
        )
        context |= {
            "figures": stage.get_gap_figures([gap])[gap.pk],
            "next": around[at + 1] if -1 < at + 1 < len(around) else None,
            "previous": around[at - 1] if at > 0 else None,
            "near": near,
            "words": SingleLineField(required=False).clean(request.GET.get("q", "")),
            "synonym": SynonymForm(list(near.entries), initial={"said": offered}),
            "decline": DeclineGapForm(),
            "phrasing": _read_typed_phrasing(request, gap),
            "personal": inbox_queue.list_personal_data_kinds(gap.words),
            **bound,
        }
    status = 400 if bound else 200
    return render(request, "desk/search_gaps/page.html", context, status=status)


def _find_last_declined(request: StaffRequest) -> SearchGap | None:
    """Return what the reader declined last, as long as that is easily undone."""
    mine = SearchGap.objects.filter(
        by=request.user, settled_at__gt=timezone.now() - inbox_queue.UNDO_WINDOW
    )
    return mine.filter(status=Status.DECLINED).order_by("-settled_at").first()


def _make_gaps_url(request: StaffRequest, **more: Any) -> str:
    """Return the page with the filter that is on, and `more` in the address."""
    given = {name: request.GET.get(name, "") for name in ("status", "side")}
    query = {name: value for name, value in {**given, **more}.items() if value}
    return f"{reverse('desk:gaps')}?{urlencode(query)}".rstrip("?")
