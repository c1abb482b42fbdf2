"""CSV and XLSX files in and out: planned row by row first, then written all or nothing.

A spreadsheet row becomes an entry in ten stops:

1. `pipeline.read_import_file` takes the bytes of the file and the kind of its rows.
2. `read.table_reader.read_table` decodes them into a `Table`: a header and rows of text.
3. `read.other_tools.adapt_foreign_table` renames the columns of other tools' exports.
4. `columns.KindColumns.match_header` finds which column is which field.
5. `plan.planner.parse_rows` analyses each row once into a `ParsedRow`. The later stops
   read only that, never the cells again.
6. `plan.row_matching.RowMatcher` and `plan.near_duplicates` find the entry it means.
7. `rows.entry_rows.EntryRows.plan_row` builds the entry, and the reasons to refuse it.
8. `plan.planner.plan_rows` collects the outcomes in an `ImportPlan`, which is previewed.
9. `pipeline.apply_import` checks that nothing changed since, in one transaction.
10. `rows.entry_rows.EntryRows.store_rows` writes the entries; `import_undo` records how
    the import is undone.

Rows of other kinds take the same way with another `RowKind` in `rows`. The package
`export` writes what `read` reads; `demo` loads the library of a fictional shop.
"""

from __future__ import annotations

from kb.import_export.export.export_rows import ExportKind, can_export, prepare_export
from kb.import_export.export.file_writer import iter_csv_lines, write_workbook
from kb.import_export.export.split_files import build_export_file, split_rows
from kb.import_export.import_plan import ImportPlan, iter_plan_csv, iter_refused_csv
from kb.import_export.import_undo import UndoResult, count_rows_not_undone
from kb.import_export.pipeline import (
    ROW_KINDS,
    apply_import,
    fill_default_source,
    find_default_source,
    list_export_headings,
    load_column_names,
    plan_import,
    read_import_file,
    save_column_names,
    undo_import,
)
from kb.import_export.plan.row_kind import (
    DUPLICATE_ACTIONS,
    SKIP_DUPLICATE,
    ImportOptions,
    ReportProgress,
)
from kb.import_export.row_outcome import PlannedRow, RowAction, RowConcern
from kb.import_export.table import MAX_FILE_BYTES, Table

__all__ = [
    "DUPLICATE_ACTIONS",
    "MAX_FILE_BYTES",
    "ROW_KINDS",
    "SKIP_DUPLICATE",
    "ExportKind",
    "ImportOptions",
    "ImportPlan",
    "PlannedRow",
    "ReportProgress",
    "RowAction",
    "RowConcern",
    "Table",
    "UndoResult",
    "apply_import",
    "build_export_file",
    "can_export",
    "count_rows_not_undone",
    "fill_default_source",
    "find_default_source",
    "iter_csv_lines",
    "iter_plan_csv",
    "iter_refused_csv",
    "list_export_headings",
    "load_column_names",
    "plan_import",
    "prepare_export",
    "read_import_file",
    "save_column_names",
    "split_rows",
    "undo_import",
    "write_workbook",
]
