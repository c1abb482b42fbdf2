"""A file is read without guessing, or refused with the reason."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from openpyxl.xml.constants import SHEET_MAIN_NS

from kb.import_export.read import xlsx_reader
from kb.models import Entry
from tests.importing import HEAD, actions, load, plan, read

pytestmark = pytest.mark.django_db
TABLES = Path(__file__).parent.parent / "bad_inputs" / "tables"


def refusal(data: str | bytes, **options: Any) -> str:
    """Return why the file as a whole is refused."""
    with pytest.raises(ValidationError) as caught:
        plan(data, **options)
    return "".join(caught.value.messages)


def book(*rows: list[Any], also: Callable[[Any], None] = lambda sheet: None) -> bytes:
    made = openpyxl.Workbook()
    assert made.active is not None
    for row in rows:
        made.active.append(row)
    also(made.active)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def shared_strings(strings: list[str], rows: str) -> bytes:
    """Return a workbook with `rows` of XML whose cells may point to `strings`."""
    items = "".join(f"<si><t>{text}</t></si>" for text in strings)
    sheet = f"<sheetData>{rows}</sheetData>"
    parts = {
        "xl/sharedStrings.xml": f'<sst xmlns="{SHEET_MAIN_NS}">{items}</sst>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEET_MAIN_NS}">{sheet}</worksheet>',
    }
    made = io.BytesIO()
    with (
        zipfile.ZipFile(TABLES / "xD800-ss.xlsx") as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, parts.get(name) or old.read(name))
    return made.getvalue()


# Encodings ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "utf-16-le", "utf-16-be"]
)
def test_what_excel_saves_is_read_exactly(encoding: str) -> None:
    text = "问题,答案\n怎么退货？,点「申请退货」，选原因😀。\n"
    mark = "\ufeff" if encoding in {"utf-16-le", "utf-16-be"} else ""
    table = read((mark + text).encode(encoding))
    assert table.rows[0].cells == ["怎么退货？", "点「申请退货」，选原因😀。"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("question,answer\n訂單,請問怎麼取消訂單\n".encode("cp950"), "Big5"),
        ("question,answer\ncafé,déjà vu à côté\n".encode("latin-1"), "无法识别编码"),
        ("question,answer\nへんぴん,できますか\n".encode("shift-jis"), "无法识别编码"),
        (HEAD.encode("utf-32"), "UTF-32"),
        ("问题,答案\n退货,可以\n".encode("utf-7"), "UTF-7"),
        (HEAD.encode() + "退货,可以的".encode("gb18030"), "无法识别编码：第 1 行"),
        ("问题,答案\n退货,可以".encode("gb18030")[:-1], "无法识别编码"),
        ("question,answer\na,b\n".encode("utf-16-le"), "无法识别编码"),
    ],
)
def test_what_would_be_garbled_is_refused_by_name(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


def test_the_user_may_name_the_encoding() -> None:
    data = "問題,答案\n退貨,可以\n".encode("big5")
    assert read(data, encoding="big5").rows[0].cells == ["退貨", "可以"]
    with pytest.raises(ValidationError, match="不支持编码"):
        read(data, encoding="rot13")
    with pytest.raises(ValidationError, match="不是完整的 UTF-8"):
        read(data, encoding="utf-8")


# Shape of a file ---------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "，"])
def test_the_header_tells_the_delimiter(delimiter: str) -> None:
    text = f"问题{delimiter}答案\n怎么退货{delimiter}可以\n"
    assert read(text).rows[0].cells == ["怎么退货", "可以"]


def test_lines_end_and_begin_as_they_like() -> None:
    assert [row.cells[0] for row in read("问题,答案\ra,b\rc,d").rows] == ["a", "c"]
    mixed = read('\n\n问题,答案\r\na,"b\r\nc"\n\n , \n\u3000,\nd,e\r')
    assert [(row.number, row.cells[0]) for row in mixed.rows] == [(4, "a"), (9, "d")]
    assert read("sep=;\n问题;答案\na;b\n").rows[0].number == 3
    titled = read("客服知识库 2024\n问题,答案\na,b\n")
    assert titled.header.number == 2
    assert "第 1 行像是标题，已跳过" in titled.notes


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a,b\n"退货,可以\nb,c\nx,y\n', 3),
        ('"退货,可以\nb,c\nx,y\n', 2),
        ('a,b\nc,"d"e\nf,g\n', 3),
    ],
)
def test_quotes_that_do_not_match_name_their_line(text: str, line: int) -> None:
    assert f"第 {line} 行：引号" in refusal(HEAD + text)


def test_rows_swallowed_between_two_stray_quotes_are_refused() -> None:
    made = plan(HEAD + '"退货,可以\nb,c\nx,y"\n换货,可以\n')
    assert actions(made) == ["REFUSE", "CREATE"]
    assert "引号可能不成对" in made.planned_rows[0].detail


def test_columns_go_by_name_in_any_spelling_and_order() -> None:
    made = load(" ＡＮＳＷＥＲ ,標準問題*,短码（可空）,备注\n可以,能退吗,th,x\n")
    entry = Entry.objects.get()
    assert (entry.question, entry.answer, entry.keywords) == ("能退吗", "可以", "th")
    assert "不认识这些列，没有读：备注" in made.notes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("问题,答案,标题\na,b,c\n", "「问题」和「标题」是同一列"),
        ("题目,答案\na,b\n", "缺少「标准问题」列。文件里的列：题目、答案"),
        ("问题\na\n", "缺少「答案」或「话术」列。文件里的列：问题"),
        ("退货,可以\n", "缺少「标准问题」列"),
        ("退货,可以\n问题,答案\n换货,可以\n", "缺少「标准问题」列"),
        ("问题,答案\n", "没有数据"),
        ("问题,答案\n,\n , \n", "没有数据"),
        ("", "空的"),
        (" \n\n", "空的"),
        ("问题,答案" + ",x" * 60 + "\na,b\n", "超过 60 列"),
        (HEAD + "a,b\n" * 20_001, "超过 20,000 行"),
        (HEAD + f"a,{'中' * 131_073}\n", "第 2 行：有单元格超过 131,072 个字符"),
        (HEAD + "x" * (10 << 20), "超过 10 MB"),
        ("<html><table></table>", "网页"),
        ('\ufeff<?xml version="1.0"?>', "XML"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(text: str, reason: str) -> None:
    assert reason in refusal(text)


def test_only_csv_and_xlsx_are_taken_whatever_the_name_promises() -> None:
    for name in ("a.yaml", "a.json", "a.xlsm", "a.html"):
        with pytest.raises(ValidationError, match="只能导入 CSV 和 XLSX"):
            read(HEAD + "a,b\n", name=name)
    with pytest.raises(ValidationError, match="内容却不是 Excel"):
        read(HEAD + "a,b\n", name="a.xlsx")
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 512
    with pytest.raises(ValidationError, match=r"旧版 \.xls"):
        read(ole, name="a.xls")
    with pytest.raises(ValidationError, match="密码"):
        read(ole + "EncryptedPackage".encode("utf-16-le"), name="a")


def test_widthbeyond_the_header_are_not_lost_in_silence() -> None:
    made = plan(HEAD + "退货,可以,多余\n换货,可以,,\n发票,可以\n")
    assert actions(made) == ["REFUSE", "CREATE", "CREATE"]
    assert "第 3 列" in made.planned_rows[0].detail
    assert "多余" in made.planned_rows[0].detail


# XLSX --------------------------------------------------------------------------


def test_a_sheet_is_read_as_it_is_shown() -> None:
    def dress(sheet: Any) -> None:
        sheet.merge_cells("C2:C3")
        sheet.row_dimensions[3].hidden = True
        sheet.parent.create_sheet("另一张")
        sheet.parent.create_sheet("没人看", 0).sheet_state = "hidden"
        sheet.title = "知识库"

    data = book(
        ["编号", "问题", "分类", "答案"],
        [7, "怎么退", "售后", "第一行_x000D_\n第二行"],
        [8.0, True, None, date(2024, 1, 5)],
        [],
        ["009", 0.1 + 0.2, "售前", "=1+1"],
        also=dress,
    )
    made = plan(data)
    assert [row.cells[0] for row in made.table.rows] == ["7", "8", "009"]
    assert made.planned_rows[1].title == "TRUE"
    assert [row.cells[2] for row in made.table.rows] == ["售后", "售后", "售前"]
    assert made.table.rows[1].cells[3] == "2024-01-05"
    assert made.table.rows[2].number == 5
    assert made.table.rows[2].cells[1] == "0.3"
    assert "公式没有算好的结果" in made.planned_rows[2].detail
    notes = "".join(made.notes)
    assert "读取工作表「知识库」" in notes
    assert "另有 1 个工作表没有读" in notes
    assert "1 个隐藏行" in notes
    assert "合并单元格" in notes


def test_a_carriage_return_of_excel_is_a_line_end() -> None:
    load(book(["问题", "答案"], ["a", "第一行_x000D_\n第二行"]))
    assert Entry.objects.get().answer == "第一行\n第二行"


def test_a_number_that_excel_has_rounded_is_refused() -> None:
    data = book(["编号", "问题", "答案"], [1234567890123456789, "a", "b"])
    assert "超过 15 位" in plan(data).planned_rows[0].detail
    made = plan("编号,问题,答案\n1.23E+15,a,b\n00123,c,d\n-1,e,f\n")
    assert actions(made) == ["REFUSE", "CREATE", "CREATE"]
    assert "科学计数法" in made.planned_rows[0].detail
    assert made.table.rows[1].cells[0] == "00123"


def test_an_error_in_a_cell_is_an_error_of_its_row() -> None:
    def spoil(sheet: Any) -> None:
        sheet["B2"].data_type = "e"

    made = plan(book(["问题", "答案"], ["a", "#REF!"], ["c", "d"], also=spoil))
    assert actions(made) == ["REFUSE", "CREATE"]
    assert made.planned_rows[0].detail == "答案「#REF!」：单元格是错误值"


def test_a_sheet_that_is_too_large_is_not_read_to_its_end() -> None:
    rows = [[f"问题{number}", "b"] for number in range(20_001)]
    assert "超过 20,000 行" in refusal(book(["问题", "答案"], *rows))
    wide = book(["问题", "答案"], ["a", "b", *[""] * 58, "c"])
    assert "第 2 行：内容超过 60 列" in refusal(wide)


def test_one_string_that_every_cell_repeats_is_not_multiplied() -> None:
    long = "".join(map(chr, random.Random(1).choices(range(0x4E00, 0x9000), k=100_000)))
    data = shared_strings([long], '<row><c t="s"><v>0</v></c></row>' * 300)
    assert "文字超过 12,000,000 个字符" in refusal(data)


def test_a_cell_that_points_nowhere_is_an_error_of_its_row() -> None:
    cells_of = '<c t="s"><v>{}</v></c><c t="s"><v>{}</v></c>'
    rows = [cells_of.format(*pair) for pair in [(0, 1), (2, 2), (-1, 2), (2, 9)]]
    data = shared_strings(
        ["问题", "答案", "a"], "".join(f"<row>{r}</row>" for r in rows)
    )
    made = plan(data)
    assert actions(made) == ["CREATE", "REFUSE", "REFUSE"]
    assert "问题「-1」：单元格是错误值" in made.planned_rows[1].detail
    assert "答案「9」：单元格是错误值" in made.planned_rows[2].detail


def test_an_archive_that_would_explode_is_not_opened() -> None:
    def archive(names: int, size: int, encrypted: int = 0) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
            for number in range(names):
                made.writestr(str(number), b"0" * size)
        return file.getvalue().replace(
            b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0" + bytes([encrypted])
        )

    assert "压缩比异常" in refusal(archive(1, 1_000_000))
    assert "内容太大" in refusal(archive(201, 1))
    assert "内容太大" in refusal(archive(1, 52_428_801))
    assert "密码" in refusal(archive(1, 1, encrypted=1))


def test_a_child_that_takes_too_long_is_stopped(monkeypatch: Any) -> None:
    monkeypatch.setattr(xlsx_reader, "WORKER_TIMEOUT_SECONDS", 0.01)
    assert "没有读完" in refusal(book(["问题", "答案"], ["a", "b"]))
