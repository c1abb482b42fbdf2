"""Names of people in a text: Chinese surnames after words that announce a name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kb.text.chinese.tokenizer import get_word_frequency

NameSpan = tuple[int, int]
HAN_CHARACTER_RANGE = "㐀-鿿"
SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛奚范彭郎"
    "鲁韦昌马苗凤方俞任袁柳鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于傅皮卞齐康伍余元卜顾孟平黄穆"
    "萧尹姚邵汪祁毛禹狄贝明臧成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林"
    "刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫经房裘缪干解应宗丁宣邓郁单洪包诸左石崔吉龚程嵇邢裴陆荣"
    "翁荀羊惠曲封储靳段巫焦巴牧隗车侯全班仰仲宫宁仇栾甘厉戎祖武符刘景詹束龙叶幸司韶黎薄印白怀蒲"
    "鄂索赖卓蔺屠蒙池乔胥能苍双闻莘党翟谭贡劳逄姬申扶冉宰雍桑桂牛寿通边扈燕冀尚农温别庄晏柴瞿阎"
    "闫连茹习艾鱼容向古易慎戈廖庾衡步耿满弘匡国文寇广东欧利师巩聂关荆佟肖付代岳游宁练游敖晁麦查苟涂邸仝帅"
    "亓佘畅盖候覃粟植肇蒯芦阚占令狐"
)
COMPOUND_SURNAMES = frozenset(
    "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶"
    " 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 令狐 呼延 轩辕 拓跋 百里"
    " 东郭 南门 西门 第五 完颜 纳兰 叶赫 欧阳".split()
)
# Surnames that begin few other words: enough without a colon or verb before.
UNAMBIGUOUS_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙朱胡郭林罗郑梁谢宋唐许韩冯邓曹彭曾萧肖蔡潘袁董吕魏蒋杜姚卢姜崔钟谭陆汪"
    "廖邹熊孟秦薛侯雷贺邵郝龚钱汤尹黎丁沈叶苏贾夏付傅戴阎闫邱欧阳司徒诸葛上官慕容"
)
# Never the first letter of a given name: words that follow an announcing word.
_NOT_GIVEN_NAME_CHARACTERS = frozenset(
    "的了吗呢吧啊呀嘛不没很都也就还又再只被把给让从你我他她它您是去到过着这那什怎谁哪问"
)
_NOT_SECOND_NAME_CHARACTERS = _NOT_GIVEN_NAME_CHARACTERS | frozenset(
    "想要买退换在住来说用能会电手订身地今昨刚前和跟与单有写填"
)
_NAME_END_PATTERN = re.compile(
    "的|电话|手机|号码|订单|卡号|账号|账户|联系|转账|身份|地址|住|在|是|和|跟|与|想|要|买|昨|今|前|刚|已|也|都|就|没|不|说|给|帮|把"
    "|被|从|怎|为|能|可|我|你|您|他|她|这|那|先生|女士|小姐|太太|同学|老师|单号|微信|邮箱|收|寄|下单|写|错|填"
    "|改|了|吗|呢|吧|啊|呀|哪|有|对|用|会|还|请|麻烦|谢谢|现在|等|催|退|换|查|问|登录|绑|年龄|性别|男|女|家"
)
_PERSON_WORDS_REGEX = "我|他|她|俺|咱|本人|孩子|女儿|儿子|老公|老婆|爸爸?|妈妈?|父亲|母亲|客户|顾客|名字|姓名|真名|全名"
_NAME_FIELD_REGEX = (
    "姓名|名字|全名|真名|收件人|收货人|联系人|寄件人|发件人|(?<!用)户名|持卡人|开户人|开户名|投保人|被保险人|乘客"
    "|旅客|乘车人|乘机人|入住人|住客|申请人|经办人|代办人|法人|法定代表人|患者|病人|机主|车主|收款人|付款人"
    "|汇款人|订货人|下单人|签收人|提货人|取件人|客户|顾客|买家"
)
_ANNOUNCING_WORDS_REGEX = (
    r"\s{0,2}(?:[:=]|是|叫做?|为|改成|改为|换成|写成|写的?是|填成|填的?是)\s{0,2}"
)
_ANNOUNCED_PATTERN = re.compile(
    rf"(?P<called>(?:(?:{_PERSON_WORDS_REGEX})(?:的名字)?就?叫做?|名叫|免贵)[\s:是]{{0,2}}(?!姓))"
    rf"|(?P<field>(?:{_NAME_FIELD_REGEX})(?:姓名|名字|名称)?{_ANNOUNCING_WORDS_REGEX})"
    rf"|(?P<bare>(?:{_NAME_FIELD_REGEX})(?:姓名|名字)?\s{{0,2}})"
    r"|(?P<being>(?:我|我这边|这里|这边)是)"
)
_STATED_SURNAME_PATTERN = re.compile(
    rf"(?:我|本人|他|她|免贵)姓(?P<said>{'|'.join(COMPOUND_SURNAMES)}|[{HAN_CHARACTER_RANGE}])(?![{HAN_CHARACTER_RANGE}]{{0,2}}名)"
)
_NON_CHINESE_NAME_PATTERN = re.compile(
    rf"[{HAN_CHARACTER_RANGE}]{{1,8}}(?:[·•・][{HAN_CHARACTER_RANGE}]{{1,8}}){{1,3}}|[A-Za-z][A-Za-z'.-]{{1,20}}+"
    r"(?: [A-Z][A-Za-z'.-]{0,20}+){0,2}"
)
_ENGLISH_NAME_PATTERN = re.compile(
    r"(?i:\bmy name is|\bname ?:)\s{1,2}(?P<said>[A-Z][a-z'-]{1,20}+"
    r"(?: [A-Z][a-z'-]{1,20}+){0,2})"
)
_TITLED_NAME_PATTERN = re.compile(
    rf"(?P<said>[{HAN_CHARACTER_RANGE}]{{1,3}})(?:先生|女士|小姐|太太)(?!们)"
)
# Surnames that begin or end many other words: no name after another Han letter.
_AMBIGUOUS_SURNAMES = frozenset(
    "于包成单水车方路时云连皮和能通经向从全关解应双平明安常乐元高金文石白马万东国广利别满容步国管查干麻"
    "易支皮毛强盛路宣温曲边牛农充巴步"
)
_AGENT_NAME_PATTERN = re.compile(
    rf"(?:客服|店员|导购|快递员|快递小哥|师傅|骑手|销售|顾问)(?P<said>[小老][{HAN_CHARACTER_RANGE}])"
)
_NAME_BESIDE_NUMBER_PATTERN = re.compile(
    rf"(?<![{HAN_CHARACTER_RANGE}])(?P<before>[{HAN_CHARACTER_RANGE}]{{2,4}})[\s:,，、]{{0,2}}(?=(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{{4}}[- ]?\d{{4}}(?!\d))"
    rf"|(?<![\d.])1[3-9]\d[- ]?\d{{4}}[- ]?\d{{4}}[\s:,，、]{{0,2}}(?P<after>[{HAN_CHARACTER_RANGE}]{{2,4}})(?![{HAN_CHARACTER_RANGE}])"
)
_COURTESY_TITLES = ("先生", "女士", "小姐", "太太")
_NOT_AGENT_SURNAMES = frozenset("时程米票组白红黄蓝")
# Frequencies in jieba's dictionary from which letters are a word and no name; the
# second where a field such as 姓名 announces a name.
MIN_WORD_FREQUENCY, MIN_CERTAIN_WORD_FREQUENCY = 100, 900


def find_person_names(spelling: str) -> Iterator[NameSpan]:
    """Yield (start, end) of names in a folded 简体 text; they may overlap."""
    for match in _ANNOUNCED_PATTERN.finditer(spelling):
        if end := _find_name_end(spelling, match.end(), str(match.lastgroup)):
            yield match.end(), end
    for pattern in (_STATED_SURNAME_PATTERN, _ENGLISH_NAME_PATTERN):
        for match in pattern.finditer(spelling):
            if (
                pattern is _ENGLISH_NAME_PATTERN
                or match["said"] in SURNAMES | COMPOUND_SURNAMES
            ):
                yield match.span("said")
    yield from _find_titled_names(spelling)
    yield from _find_names_beside_numbers(spelling)
    for match in _AGENT_NAME_PATTERN.finditer(spelling):
        surname = match["said"][1]
        known = surname in SURNAMES and surname not in _NOT_AGENT_SURNAMES
        if known and _can_name_end(spelling, match.end(), strict=False):
            yield match.span("said")


def _find_names_beside_numbers(spelling: str) -> Iterator[NameSpan]:
    """Yield what can only be a name right before or after a mobile number."""
    for match in _NAME_BESIDE_NUMBER_PATTERN.finditer(spelling):
        said = match["before"] or match["after"]
        double = said[:2] in COMPOUND_SURNAMES
        given = said[1 + double :]
        if not (double or said[0] in SURNAMES) or len(given) not in {1, 2}:
            continue
        word = said[:2] if not double else said
        if (
            given in _COURTESY_TITLES
            or set(given) & _NOT_SECOND_NAME_CHARACTERS
            or get_word_frequency(word) >= MIN_WORD_FREQUENCY
        ):
            continue
        yield match.span("before" if match["before"] else "after")


def _find_titled_names(spelling: str) -> Iterator[NameSpan]:
    """Yield the surname, and a given name, before 先生 or 女士: 张女士, 李小明先生."""
    for match in _TITLED_NAME_PATTERN.finditer(spelling):
        start, end = match.span("said")
        for first in range(start, end):
            if _is_titled_name(spelling, first, end):
                yield first, end
                break


def _is_titled_name(spelling: str, first: int, end: int) -> bool:
    """Return whether spelling[first:end], before a title, is a name: 张, 李小明, 欧阳."""
    said = spelling[first:end]
    if said[:2] in COMPOUND_SURNAMES:
        return True
    if said[0] not in SURNAMES or set(said[1:]) & _NOT_GIVEN_NAME_CHARACTERS:
        return False
    before = spelling[first - 1 : first]
    apart = not _is_han(before)
    if len(said) == 1:
        inside = (
            not apart and get_word_frequency(before + said) >= MIN_WORD_FREQUENCY
        )  # 谢谢先生
        return apart or not (inside or said in _AMBIGUOUS_SURNAMES)
    is_word = get_word_frequency(said[:2]) >= MIN_WORD_FREQUENCY
    return not is_word and (apart or said[0] in UNAMBIGUOUS_SURNAMES)


def _find_name_end(spelling: str, start: int, announced: str) -> int | None:
    """Return where the name ends that begins at `start`; None where none does."""
    if announced in {"called", "field"} and (
        other := _NON_CHINESE_NAME_PATTERN.match(spelling, start)
    ):
        return other.end()
    double = spelling[start : start + 2] in COMPOUND_SURNAMES
    surname = spelling[start : start + 1 + double]
    if not double and surname not in SURNAMES:
        return None
    clear = double or surname in UNAMBIGUOUS_SURNAMES
    if announced in {"bare", "being"} and not clear:
        return None
    if announced == "called" and surname in {"车", "单"}:  # 我叫车, 我叫单
        return None
    if not double and _is_word_start(spelling, start, announced):
        return None
    loose = announced == "field" and spelling[start - 1] in "是为" and not clear
    return _find_given_name_end(
        spelling, start + len(surname), strict=loose or announced == "being"
    )


def _is_word_start(spelling: str, start: int, announced: str) -> bool:
    """Return whether the surname is the first letter of another word: 包含, 余额."""
    said = spelling[start : start + 2]
    most = (
        MIN_CERTAIN_WORD_FREQUENCY
        if announced == "field"
        else 500
        if announced == "called"
        else MIN_WORD_FREQUENCY
    )
    if said in {"李四", "李娜"}:
        return False
    return get_word_frequency(said) >= most


def _find_given_name_end(spelling: str, at: int, *, strict: bool) -> int | None:
    """Return the end of a given name of one or two letters that begins at `at`.

    With `strict`, no Han letter may follow it.
    """
    first, second = spelling[at : at + 1], spelling[at + 1 : at + 2]
    if (
        not _is_han(first)
        or first in _NOT_GIVEN_NAME_CHARACTERS
        or spelling.startswith(_COURTESY_TITLES, at)
    ):
        return None
    one = _can_name_end(spelling, at + 1, strict=strict)
    two = (
        _is_han(second)
        and second not in _NOT_SECOND_NAME_CHARACTERS
        and _can_name_end(spelling, at + 2, strict=strict)
    )
    if one and two:
        follows = get_word_frequency(spelling[at + 1 : at + 3]) >= MIN_WORD_FREQUENCY
        return at + 1 if follows else at + 2
    return at + 2 if two else at + 1 if one else None


def _can_name_end(spelling: str, at: int, *, strict: bool) -> bool:
    """Return whether a name may end before `at`."""
    if not _is_han(spelling[at : at + 1]):
        return True
    if strict:
        return False
    following = spelling[at : at + 2]
    is_word = len(following) > 1 and get_word_frequency(following) >= MIN_WORD_FREQUENCY
    return is_word or bool(_NAME_END_PATTERN.match(spelling, at))


def _is_han(letter: str) -> bool:
    return "㐀" <= letter <= "鿿"
