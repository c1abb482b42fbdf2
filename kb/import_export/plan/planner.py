"""From analysed rows to a plan: what happens to each row, nothing written yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from kb.import_export import cells
from kb.import_export.plan.row_kind import (
    LOOKUP_BATCH_ROWS,
    SKIP_DUPLICATE,
    ParsedRow,
    ReportProgress,
    RowKey,
    RowKind,
    StampsByKey,
)
from kb.import_export.row_outcome import (
    WRITING_ACTIONS,
    PlannedRow,
    RowAction,
    RowConcern,
)
from kb.import_export.table import TableRow
from kb.text.chinese import normalize


def parse_rows(kind: RowKind, rows: Sequence[TableRow], width: int) -> list[ParsedRow]:
    """Return each row analysed; the second row with the same key is refused.

    `width` is how many cells the header has.
    """
    numbers_by_key: dict[RowKey, int] = {}
    parsed_rows = []
    for row in rows:
        parsed = _parse_row(kind, row, width)
        first_number = numbers_by_key.setdefault(parsed.key, row.number)
        if first_number != row.number:
            name = "external_id" if parsed.key[0] == "id" else kind.text_field
            kind.refuse_row(parsed, name, f"与第 {first_number} 行重复")
        parsed_rows.append(parsed)
    return parsed_rows


def plan_rows(
    kind: RowKind, rows: Sequence[ParsedRow], progress: ReportProgress
) -> list[PlannedRow]:
    """Return what happens to each row; the database is queried in batches.

    Rows that are merged into entries are planned last: other rows may change the same
    entry.
    """
    kind.match_rows(rows, progress)
    actions: dict[int, tuple[RowAction, Sequence[str]]] = {}
    positions = iter(sorted(range(len(rows)), key=lambda i: rows[i].is_merge))
    while batch := list(islice(positions, LOOKUP_BATCH_ROWS)):
        keys = [rows[i].key for i in batch if not rows[i].reasons]
        stamps = _find_stamps(kind, keys)
        rows_by_id = kind.load_rows(
            [pk for found in stamps.values() for pk, _ in found]
        )
        for i in batch:
            parsed, stamp = rows[i], stamps.get(rows[i].key, [])
            # A duplicate has its evidence already, with the entry's version.
            if parsed.concern is not RowConcern.DUPLICATE:
                kind.evidence.append((parsed.row.number, stamp))
            existing = [rows_by_id[pk] for pk, _ in stamp]
            actions[i] = _decide_action(kind, parsed, existing)
            if actions[i][0] in WRITING_ACTIONS:
                kind.planned_stamps[parsed.key] = stamp
        progress("核对", len(actions), len(rows))
    kind.finish_planning()
    return [_make_planned_row(kind, rows[i], *actions[i]) for i in range(len(rows))]


def has_changed_since_plan(kind: RowKind) -> bool:
    """Return whether a database row that the plan is based on was saved since.

    Needs a transaction. The rows are locked until it ends, and so is the kind: any
    other import of it waits.
    """
    imports = ContentType.objects.select_for_update()
    list(imports.filter(app_label="kb", model=kind.model._meta.model_name))
    keys = iter(kind.planned_stamps)
    while batch := list(islice(keys, LOOKUP_BATCH_ROWS)):
        pks = [pk for key in batch for pk, _ in kind.planned_stamps[key]]
        rows = kind.model._default_manager.select_for_update()
        list(rows.filter(pk__in=pks).order_by("pk").values_list("pk"))
        stamps = _find_stamps(kind, batch)
        if any(stamps.get(key, []) != kind.planned_stamps[key] for key in batch):
            return True
    return False


def _find_stamps(kind: RowKind, keys: Collection[RowKey]) -> StampsByKey:
    """Return the stamps by key.

    The mark of another library, the third part of a text key, tells rows of the file
    apart but is not looked up.
    """
    lookup_keys = {key: key[:2] if key[0] == "text" else key for key in keys}
    stamps = kind.find_stamps(list(dict.fromkeys(lookup_keys.values())))
    return {key: stamps[known] for key, known in lookup_keys.items() if known in stamps}


def _parse_row(kind: RowKind, row: TableRow, width: int) -> ParsedRow:
    values = kind.layout.read_values(row)
    parsed = ParsedRow(
        row,
        values,
        kind.layout.split_values(values),
        source=values.get("source", "") or kind.options.source,
        external_id=values.get("external_id", ""),
        text_key="",
        title=cells.shorten_for_message(values.get(kind.text_field, "")),
    )
    kind.analyse_row(parsed)
    if text := values.get(kind.text_field):
        parsed.text_key = normalize.compute_spelling_key(text)
    parsed.key = kind.make_row_key(parsed)
    parsed.reasons += kind.layout.find_flaws(row, width)
    if not parsed.reasons and kind.text_field not in values:
        kind.refuse_row(parsed, kind.text_field, "不能为空")
    if cells.is_scientific_number(parsed.external_id):
        kind.refuse_row(
            parsed, "external_id", "像是被 Excel 改成了科学计数法，请把这一列设为文本"
        )
    return parsed


def _decide_action(
    kind: RowKind, parsed: ParsedRow, existing: list[Model]
) -> tuple[RowAction, Sequence[str]]:
    """Return what is done with a row, and which fields it changes."""
    if parsed.duplicate_action == SKIP_DUPLICATE and not parsed.reasons:
        return RowAction.SKIP, ()
    changed = [] if parsed.reasons else kind.plan_row(parsed, existing)
    if parsed.reasons:
        return RowAction.REFUSE, ()
    if parsed.is_replacement:
        return RowAction.REPLACE, ()
    if not existing:
        return RowAction.CREATE, ()
    if not changed:
        return RowAction.SAME, ()
    return (RowAction.MERGE if parsed.is_merge else RowAction.CHANGE), changed


def _make_planned_row(
    kind: RowKind, parsed: ParsedRow, action: RowAction, changed: Sequence[str]
) -> PlannedRow:
    # A row may be refused after it was planned: see RowKind.finish_planning.
    if parsed.reasons:
        action = RowAction.REFUSE
    has_notes = action is not RowAction.REFUSE and (
        action is not RowAction.SAME or parsed.unpublished_reason
    )
    return PlannedRow(
        parsed.row,
        action,
        parsed.title,
        [kind.get_column_title(name) for name in changed],
        reasons=parsed.reasons,
        notes=parsed.notes if has_notes else [],
        concern=parsed.concern,
        related_entry=parsed.related_entry,
        duplicate_action=parsed.duplicate_action,
        is_live=parsed.is_live and action in WRITING_ACTIONS,
    )
