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

from kb import entries
from kb import gaps as stage
from kb.desk import queue
from kb.desk.drafts import editor
from kb.desk.forms import LARGEST_ID, DeclineForm, Line
from kb.desk.views import StaffRequest, error_code
from kb.engines import EngineUnavailable
from kb.models import Entry, Gap, Review, Side

AROUND = 40  # gaps in the list
Status = Gap.Status
TABS = (Status.OPEN, Status.PROVING, Status.CLOSED, Status.DECLINED)


class ReasonForm(DeclineForm):
    REASONS = ("不是我们的业务", "打错或试搜", "已有条目，不必再改", "涉及隐私", "其他")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason = self.fields["reason"]
        assert isinstance(reason, forms.ChoiceField)  # noqa: S101 - for the type
        reason.choices = [(one, one) for one in self.REASONS]


class SynonymForm(forms.Form):
    said = Line(label="搜索时说", help_text="搜索的话里的一个词。")
    written = Line(label="条目里写", help_text="条目里意思相同的词。")
    entry = forms.TypedChoiceField(label="应该找到", coerce=int)

    use_required_attribute = False

    def __init__(self, found: list[Entry], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        entry = self.fields["entry"]
        assert isinstance(entry, forms.ChoiceField)  # noqa: S101 - for the type
        entry.choices = [(one.pk, one.question) for one in found]


@editor
@require_safe
def gaps(request: StaffRequest) -> HttpResponse:
    """Show the gap that is asked for, or what is missed most often."""
    return _page(request, _chosen(request))


@editor
@require_POST
def settle(request: StaffRequest, pk: int) -> HttpResponse:
    """Do one thing about a gap, and prove it where that can be done at once."""
    gap = Gap.objects.filter(pk=pk).first()
    act = ACTS.get(request.POST.get("do", ""))
    if gap is None or act is None:
        messages.warning(request, stage.GONE)
        return redirect(_address(request))
    try:
        return act(request, gap)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(_address(request, gap=pk))


# What may be done ------------------------------------------------------------------


def _look(request: StaffRequest, gap: Gap) -> HttpResponse:
    words = Line().clean(request.POST.get("q", " ")) or ""
    typed = _typed_phrasing(request, gap)
    kept = "" if typed == entries.offered_phrasing(gap.words) else typed
    return redirect(_address(request, gap=gap.pk, q=words, phrasing=kept))


def _draft(request: StaffRequest, gap: Gap) -> HttpResponse:
    entry = stage.draft(gap, by=request.user)
    messages.success(request, "已建好草稿。写好答案发布以后，会自动再搜一遍来验证。")
    return redirect("admin:kb_entry_change", entry.pk)


def _phrasing(request: StaffRequest, gap: Gap) -> HttpResponse:
    entry = _entry(request)
    words = _typed_phrasing(request, gap)
    try:
        gap, heard = stage.add_phrasing(gap, entry, by=request.user, words=words)
    except ValidationError as error:
        if error_code(error) == "conflict":
            raise
        return _page(request, gap, phrasing=words, phrasing_errors=error.messages)
    if isinstance(heard, Review):
        told = f"「{words}」已作为「{entry}」的相似问法提交审核，通过以后自动验证。"
        messages.success(request, told)
        return redirect(_address(request))
    return _proved(request, gap, f"「{words}」已收为「{entry}」的相似问法")


def _typed_phrasing(request: StaffRequest, gap: Gap) -> str:
    """Return the phrasing as the editor has written it, or else as it is offered."""
    sent = request.POST if request.method == "POST" else request.GET
    if (typed := sent.get("phrasing")) is None:
        return entries.offered_phrasing(gap.words)
    return Line(required=False).clean(typed) or ""


def _synonym(request: StaffRequest, gap: Gap) -> HttpResponse:
    found = list(_near(request, gap).entries)
    form = SynonymForm(found, request.POST)
    if not form.is_valid():
        return _page(request, gap, synonym=form)
    given = form.cleaned_data
    entry = next(one for one in found if one.pk == given["entry"])
    try:
        gap = stage.add_synonym(
            gap, entry, said=given["said"], written=given["written"], by=request.user
        )
    except ValidationError as error:
        form.add_error(None, error.messages)
        return _page(request, gap, synonym=form)
    said = f"搜「{given['said']}」也会找写着「{given['written']}」的条目"
    return _proved(request, gap, said)


def _decline(request: StaffRequest, gap: Gap) -> HttpResponse:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, gap, decline=form)
    stage.decline(gap, reason=form.written(), by=request.user)
    messages.success(request, f"「{gap}」以后不再出现。")
    return redirect(_address(request))


def _reopen(request: StaffRequest, gap: Gap) -> HttpResponse:
    stage.reopen(gap, by=request.user)
    messages.success(request, f"「{gap}」回到待处理。已加的问法、同义词和草稿都还在。")
    return redirect(_address(request, status="", gap=gap.pk))


def _again(request: StaffRequest, gap: Gap) -> HttpResponse:
    return _proved(request, gap, f"又搜了一遍「{gap.words}」")


ACTS: dict[str, Callable[[StaffRequest, Gap], HttpResponse]] = {
    "look": _look,
    "draft": _draft,
    "phrasing": _phrasing,
    "synonym": _synonym,
    "decline": _decline,
    "reopen": _reopen,
    "prove": _again,
}


def _proved(request: StaffRequest, gap: Gap, said: str) -> HttpResponse:
    """Search once more, and say what came of it."""
    try:
        gap = stage.prove(gap)
    except EngineUnavailable:
        messages.warning(request, f"{said}。搜索引擎暂时不可用，稍后自动验证。")
        return redirect(_address(request))
    stands = f"排第 {gap.rank} 名" if gap.rank else "还没有找到它"
    if gap.status == Status.CLOSED:
        messages.success(request, f"{said}。验证通过：{stands}。")
    else:
        live = gap.entry and gap.entry.status == Entry.Status.PUBLISHED
        why = "" if live else "（条目还没有发布）"
        messages.warning(
            request, f"{said}。待验证：{stands}{why}，要在前 {stage.TOP} 名。"
        )
    return redirect(_address(request))


def _entry(request: StaffRequest) -> Entry:
    sent = request.POST.get("entry", "")
    number = int(sent) if sent.isascii() and sent.isdecimal() else 0
    seen = Entry.objects.visible_to(request.user).filter(pk=min(number, LARGEST_ID))
    if (entry := seen.first()) is None:
        raise ValidationError("这个条目已经不在了，请另选一个。")
    return entry


# Pages ------------------------------------------------------------------------------


def _tab(request: StaffRequest) -> str:
    status = request.GET.get("status", "")
    return status if status in TABS else str(Status.OPEN)


def _listed(request: StaffRequest) -> QuerySet[Gap]:
    status, side = _tab(request), request.GET.get("side", "")
    if status == Status.OPEN:
        rows = Gap.objects.waiting().order_by("-fell", "-misses", "-last_at", "pk")
    else:
        rows = Gap.objects.filter(status=status).order_by("-settled_at", "pk")
    return rows.filter(side=side) if side in Side.values else rows


def _chosen(request: StaffRequest) -> Gap | None:
    sent = request.GET.get("gap", "")
    number = int(sent) if sent.isascii() and sent.isdecimal() else 0
    found = Gap.objects.filter(pk=min(number, LARGEST_ID))
    related = ("entry", "by")
    chosen = found.select_related(*related).first() if number else None
    return chosen or _listed(request).select_related(*related).first()


def _near(request: StaffRequest, gap: Gap) -> queue.Alike:
    words = Line(required=False).clean(request.GET.get("q", "")) or gap.words
    return queue.alike(words, user=request.user)


def _page(request: StaffRequest, gap: Gap | None, **bound: Any) -> HttpResponse:
    listed = _listed(request)
    around = list(listed[:AROUND])
    counts = dict(Gap.objects.order_by().values_list("status").annotate(n=Count("pk")))
    counts[Status.OPEN] = Gap.objects.waiting().count()
    context: dict[str, Any] = {
        "gap": gap,
        "around": around,
        "status": _tab(request),
        "side": request.GET.get("side", ""),
        "tabs": [(tab.value, tab.label, counts.get(tab, 0)) for tab in TABS],
        "total": listed.count(),
        "last": _last(request),
    }
    if gap is not None:
        at = around.index(gap) if gap in around else -1
        near, offered = _near(request, gap), entries.offered_phrasing(gap.words)
        context |= {
            "figures": stage.of([gap])[gap.pk],
            "next": around[at + 1] if -1 < at + 1 < len(around) else None,
            "previous": around[at - 1] if at > 0 else None,
            "near": near,
            "words": Line(required=False).clean(request.GET.get("q", "")),
            "synonym": SynonymForm(list(near.entries), initial={"said": offered}),
            "decline": ReasonForm(),
            "phrasing": _typed_phrasing(request, gap),
            "personal": queue.personal_kinds(gap.words),
            **bound,
        }
    status = 400 if bound else 200
    return render(request, "desk/search_gaps/page.html", context, status=status)


def _last(request: StaffRequest) -> Gap | None:
    """Return what the reader declined last, as long as that is easily undone."""
    mine = Gap.objects.filter(
        by=request.user, settled_at__gt=timezone.now() - queue.UNDO
    )
    return mine.filter(status=Status.DECLINED).order_by("-settled_at").first()


def _address(request: StaffRequest, **more: Any) -> str:
    """Return the page with the filter that is on, and `more` in the address."""
    given = {name: request.GET.get(name, "") for name in ("status", "side")}
    query = {name: value for name, value in {**given, **more}.items() if value}
    return f"{reverse('desk:gaps')}?{urlencode(query)}".rstrip("?")
